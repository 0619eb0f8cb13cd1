"""Streams: the event log and a run's log. A stream that breaks off is resumed at its last position."""

from __future__ import annotations

import time
from typing import Any, AsyncGenerator, Iterable

from ._http import Answer, NotHttp
from ._sse import LineReader, SseReader
from ._transport import Call, Transport
from .errors import ProctorError

SILENCE = 45.0
"""Seconds: three of the service's heartbeats. A connection that is silent for longer is dead, whatever TCP says."""
MAX_OUTAGE = 5 * 60.0
PAUSE = 2.0


async def stream_events(
    transport: Transport, path: str, last_event_id: int | str | None, types: Iterable[str] | None
) -> AsyncGenerator[Any, None]:
    """Events as they happen; ends when nothing more is to come."""
    position = None if last_event_id is None else str(last_event_id)
    outage = _Outage()
    while True:
        before = position
        sse = SseReader()
        is_whole = False
        answer: Answer | None = None
        try:
            headers = {"Accept": "text/event-stream", **({} if position is None else {"Last-Event-ID": position})}
            query = {"types": None if types is None else ",".join(types)}
            answer = await transport.request(Call(path, query=query, headers=headers), _open)
            outage.end()
            if answer.status == 204:
                return
            async for piece in answer.pieces():
                for message in sse.push(piece):
                    event = transport.parse(message.data)
                    position = message.id
                    yield event
            is_whole = True
        except (ProctorError, OSError, NotHttp) as error:
            outage.go_on(transport, error)
        finally:
            if answer is not None:
                answer.close()
        # The place may have been told without an event.
        position = sse.last_id or position
        # A stream that said something and ended well is asked at once if more is to come.
        if not is_whole or position == before:
            await transport.wire.pause(PAUSE if sse.retry is None else sse.retry)


async def follow_logs(transport: Transport, path: str, run_path: str) -> AsyncGenerator[Any, None]:
    """Entries of a run's log from the first one on; ends with the run.

    Each connection begins with the first line, so that lines which were read before are passed over by number.
    """
    read = 0
    outage = _Outage()
    while True:
        is_over = False
        answer: Answer | None = None
        try:
            # Asked before the log is: what ended the run was logged before.
            is_over = (await transport.json(Call(run_path)))["ended_at"] is not None
            call = Call(path, query={"follow": None if is_over else True}, headers={"Accept": "application/x-ndjson"})
            answer = await transport.request(call, _open)
            outage.end()
            lines = LineReader()
            number = 0
            async for piece in answer.pieces():
                for line in lines.push(piece):
                    if line.strip() == "":
                        continue
                    number += 1
                    if number > read:
                        entry = transport.parse(line)
                        read = number
                        yield entry
            if is_over:
                return
        except (ProctorError, OSError, NotHttp) as error:
            is_early = isinstance(error, ProctorError) and error.code == "not-ready" and not is_over
            if not is_early:
                outage.go_on(transport, error)
        finally:
            if answer is not None:
                answer.close()
        await transport.wire.pause(PAUSE)


async def _open(answer: Answer) -> Answer:
    answer.silence = SILENCE
    return answer


class _Outage:
    """Tells a service that is away for a while from one that refuses or does not come back."""

    def __init__(self) -> None:
        self._heard_at = time.monotonic()

    def end(self) -> None:
        self._heard_at = time.monotonic()

    def go_on(self, transport: Transport, error: Exception) -> None:
        """Raises the error, unless it may pass."""
        if isinstance(error, NotHttp):
            raise ProctorError("unreadable", f"{transport.endpoint.base}: {error}") from error
        is_final = isinstance(error, ProctorError) and not error.is_transient
        if not is_final and time.monotonic() - self._heard_at <= MAX_OUTAGE:
            return
        if isinstance(error, ProctorError):
            raise error
        raise ProctorError("unreachable", f"{transport.endpoint.base} does not answer: {error}") from error
