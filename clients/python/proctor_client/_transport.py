"""One request, repeated while that is safe and may help: on no answer, 429 and 5xx, with growing, jittered pauses."""

from __future__ import annotations

import json
import os
import random
import ssl
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, AsyncGenerator, Awaitable, Callable, Mapping, TypeVar
from urllib.parse import quote

from ._endpoint import Endpoint
from ._http import Answer, NotHttp, Request, exchange
from ._refusal import error_of
from ._version import VERSION
from ._wire import Wire
from .artifacts import Logs
from .errors import ProctorError

T = TypeVar("T")
MAX_ASKED_PAUSE = 60.0
PAGE_SIZE = 200


@dataclass(frozen=True)
class RetryOptions:
    """Limits of repeating a request; times in seconds."""

    attempts: int = 5
    """In all, the first one included."""
    first_pause: float = 0.3
    longest_pause: float = 10.0


@dataclass(frozen=True)
class Call:
    path: str
    method: str = "GET"
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    repeatable: bool = True
    """False where the service would carry it out twice."""
    wait: float = 0.0
    """Seconds that the answer may take longer."""


@dataclass(frozen=True)
class Transport:
    wire: Wire
    endpoint: Endpoint
    tls: ssl.SSLContext | None
    retry: RetryOptions
    answer_within: float
    max_answer_bytes: int

    async def request(self, call: Call, read: Callable[[Answer], Awaitable[T]]) -> T:
        """Returns what `read` makes of a 2xx answer. An answer that `read` hands on stays open for its reader."""
        request = self._request(call)
        attempt = 1
        while True:
            try:
                return await self._attempt(call, request, attempt, read)
            except ProctorError as error:
                if not (call.repeatable and error.is_transient and attempt < self.retry.attempts):
                    raise
                pause = self.pause(attempt, error.retry_after)
            await self.wire.pause(pause)
            attempt += 1

    async def json(self, call: Call) -> Any:
        return await self.request(call, self._read_json)

    async def text(self, call: Call) -> str:
        return await self.request(call, self.read_text)

    async def none(self, call: Call) -> None:
        await self.request(call, self.read_text)

    async def pages(self, call: Call) -> AsyncGenerator[Any, None]:
        """Everything on a list, read page by page as the reader takes it."""
        cursor = None
        while True:
            query = {"limit": PAGE_SIZE, **call.query, "cursor": cursor}
            page = await self.json(Call(call.path, query=query))
            for item in page["data"]:
                yield item
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def pause(self, attempt: int, asked: float | None) -> float:
        """Seconds before the next attempt: at least what the service asks for, half of the rest left to chance."""
        grown = min(self.retry.first_pause * 2.0 ** min(attempt - 1, 30), self.retry.longest_pause)
        return max(min(asked or 0.0, MAX_ASKED_PAUSE), grown * random.uniform(0.5, 1.0))

    async def read_text(self, answer: Answer) -> str:
        return (await answer.read(self.max_answer_bytes)).decode("utf-8", "replace")

    async def read_logs(self, answer: Answer) -> Logs:
        """JSON lines, and two headers that say how far to trust them."""
        lines = (await self.read_text(answer)).split("\n")
        return {
            "entries": [self.parse(line) for line in lines if line != ""],
            "complete": answer.headers.get("X-Log-Complete") == "true",
            "truncated": answer.headers.get("X-Log-Truncated") == "true",
        }

    async def _read_json(self, answer: Answer) -> Any:
        return self.parse(await self.read_text(answer))

    def parse(self, text: str) -> Any:
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as cause:
            raise ProctorError("unreadable", f"{self.endpoint.base} answers no JSON") from cause

    def _request(self, call: Call) -> Request:
        # Made once: a repetition must be the same to the byte.
        body = None if call.body is None else json.dumps(call.body, allow_nan=False).encode()
        given = [f"{name}={quote(_text(value), safe='')}" for name, value in call.query.items() if value is not None]
        headers = {
            "Host": self.endpoint.authority,
            "Authorization": f"Bearer {self.endpoint.api_key}",
            "Accept": "application/json",
            "User-Agent": f"proctor-client-python/{VERSION}",
            "Connection": "close",
            **({} if body is None else {"Content-Type": "application/json"}),
            **call.headers,
        }
        target = self.endpoint.path + call.path + ("?" + "&".join(given) if given else "")
        return Request(call.method, target, headers, body)

    async def _attempt(
        self, call: Call, request: Request, attempt: int, read: Callable[[Answer], Awaitable[T]]
    ) -> T:
        base = self.endpoint.base
        deadline = time.monotonic() + self.answer_within + call.wait
        answer: Answer | None = None
        result: Any = None
        try:
            answer = await exchange(self.wire, self.endpoint, self.tls, request, deadline)
            if not 200 <= answer.status < 300:
                raise await error_of(answer, attempt)
            result = await read(answer)
            return result
        except ProctorError as error:
            error.attempts = attempt
            raise
        except NotHttp as cause:
            raise ProctorError("unreadable", f"{base}: {cause}", attempts=attempt) from cause
        except OSError as cause:
            message = f"{base} does not answer: {_reason(cause)}"
            raise ProctorError("unreachable", message, attempts=attempt) from cause
        finally:
            if answer is not None and result is not answer:
                answer.close()


async def or_none(artifact: Awaitable[T]) -> T | None:
    """None for what is not there yet, or never will be. A run that nobody knows remains an error."""
    try:
        return await artifact
    except ProctorError as error:
        if error.code in ("not-ready", "unavailable"):
            return None
        raise


def _reason(error: OSError) -> str:
    # asyncio puts an address in place of the system's words.
    if isinstance(error, ConnectionError) and error.errno is not None:
        return os.strerror(error.errno)
    return str(error.strerror or error)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, (list, tuple, set, frozenset)):
        return ",".join(value)
    return str(value)
