"""Errors: a refusal with the service's problem document, no answer at all, or a forged delivery."""

from __future__ import annotations

from typing import Any, Mapping


class ProctorError(Exception):
    """A request that was refused, or had no usable answer."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        problem: Mapping[str, Any] | None = None,
        status: int | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        attempts: int = 1,
    ) -> None:
        super().__init__(message)
        #: The problem's own word (`not-found`, `validation-failed`, `conflict`…), or `unreachable` (no answer),
        #: `unreadable` (an answer that is not the service's), `timeout` (the time given to a wait is over),
        #: `misconfigured` (no usable URL or API key).
        self.code = code
        #: The RFC 9457 document as the service sent it.
        self.problem = problem
        #: HTTP status of the last answer; None without one.
        self.status = status
        #: The request's id in the service's log.
        self.request_id = request_id
        #: Seconds that the service asks to stay away.
        self.retry_after = retry_after
        #: How often the request was sent.
        self.attempts = attempts

    def __reduce__(self) -> tuple[Any, ...]:
        # Queues pickle what a task raises; the default would call the constructor with the message alone.
        return (_rebuilt, (type(self), self.args, self.__dict__))

    @property
    def type(self) -> str | None:
        """The problem's `type`, a URN that ends in `code`."""
        return self._text("type")

    @property
    def title(self) -> str | None:
        return self._text("title")

    @property
    def detail(self) -> str | None:
        return self._text("detail")

    @property
    def errors(self) -> list[dict[str, str]]:
        """All mistakes of the request at once, as `{"pointer", "detail"}`."""
        found = (self.problem or {}).get("errors")
        return found if isinstance(found, list) else []

    @property
    def is_transient(self) -> bool:
        """True if the same request may be answered later: nothing is wrong with it."""
        return self.code == "unreachable" or self.status == 429 or (self.status or 0) >= 500

    def _text(self, name: str) -> str | None:
        found = (self.problem or {}).get(name)
        return found if isinstance(found, str) else None


class WebhookVerificationError(Exception):
    """A delivery that no given secret signed just now."""


def _rebuilt(kind: type[ProctorError], args: tuple[Any, ...], fields: dict[str, Any]) -> ProctorError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(fields)
    return error
