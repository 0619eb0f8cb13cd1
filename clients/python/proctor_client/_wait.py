"""Waiting for an end or an outcome, over as many long polls as it takes."""

from __future__ import annotations

import inspect
import math
import time
from typing import Any, Callable

from ._transport import Call, Transport
from .errors import ProctorError

MAX_POLL = 60.0
"""Seconds; the service's own bound."""
MAX_OUTAGE = 5 * 60.0


async def wait_for_end(
    transport: Transport,
    path: str,
    is_decided: Callable[[Any], bool],
    awaited: str,
    timeout: float | None,
    on_update: Callable[[Any], object] | None,
    update_every: float | None,
) -> Any:
    """Returns the job or run at `path` once it has ended, or has its outcome."""
    if awaited not in ("end", "outcome"):
        raise ValueError("for_ is either 'end' or 'outcome'")
    every = min(update_every or (MAX_POLL if on_update is None else 5.0), MAX_POLL)
    give_up_at = math.inf if timeout is None else time.monotonic() + timeout
    answered_at = time.monotonic()
    while True:
        asked_at = time.monotonic()
        wait = max(0, round(1_000 * min(every, give_up_at - asked_at))) / 1_000
        query = {"wait": f"{round(wait * 1_000)}ms", "for": awaited}
        seen = None
        try:
            seen = await transport.json(Call(path, query=query, wait=wait))
        except ProctorError as error:
            # The job goes on while the service restarts.
            if not error.is_transient or time.monotonic() - answered_at > MAX_OUTAGE:
                raise
        if seen is not None:
            answered_at = time.monotonic()
            if on_update is not None:
                told = on_update(seen)
                if inspect.isawaitable(told):
                    await told
            if is_decided(seen) if awaited == "outcome" else seen["ended_at"] is not None:
                return seen
        now = time.monotonic()
        if now >= give_up_at:
            state = "it cannot be reached" if seen is None else f"{seen['id']} is {seen['status']}"
            raise ProctorError("timeout", f"not over within {timeout} s: {state}")
        # A service that is about to stop answers at once.
        if now - asked_at < wait / 2:
            await transport.wire.pause(min(1.0, every, give_up_at - now))
