"""Reads the error that an answer other than 2xx stands for."""

from __future__ import annotations

import json
import re
import time
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import Any

from ._http import Answer
from .errors import ProctorError

MAX_PROBLEM_BYTES = 1 << 20


async def error_of(answer: Answer, attempts: int) -> ProctorError:
    text = (await answer.read(MAX_PROBLEM_BYTES)).decode("utf-8", "replace")
    try:
        problem = json.loads(text)
    except (ValueError, RecursionError):
        problem = None
    fields: dict[str, Any] = {
        "status": answer.status,
        "request_id": answer.headers.get("X-Request-Id"),
        "retry_after": read_retry_after(answer.headers.get("Retry-After"), time.time()),
        "attempts": attempts,
    }
    is_problem = isinstance(problem, dict) and all(isinstance(problem.get(name), str) for name in ("type", "detail"))
    if not is_problem:
        return ProctorError("unreadable", f"answered {answer.status} {text[:200]}", **fields)
    code = problem["type"].split(":")[-1]
    return ProctorError(code, f"{problem.get('title')}: {problem['detail']}", problem=problem, **fields)


def read_retry_after(value: str | None, now: float) -> float | None:
    """Seconds from `now` (epoch) on [RFC 9110 10.2.3]; None if the text is neither seconds nor a date."""
    text = (value or "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return max(0.0, (at if at.tzinfo else at.replace(tzinfo=timezone.utc)).timestamp() - now)


_SECONDS = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,15})?")
