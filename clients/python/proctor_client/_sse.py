"""Reads lines and Server-Sent Events [html.spec.whatwg.org/multipage/server-sent-events.html] in whatever pieces."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from ._http import NotHttp

MAX_MESSAGE_LETTERS = 16 << 20


class LineReader:
    """Splits text at CR, LF and CRLF alone: JSON may hold the other line ends of Unicode."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._open: list[str] = []
        self._letters = 0
        self._half = ""

    def push(self, data: bytes) -> list[str]:
        """Returns the lines that these bytes complete. Raises NotHttp when one has no end."""
        text = self._half + self._decoder.decode(data)
        # A carriage return at the end may be half of a line's end: it waits for the rest.
        self._half = "\r" if text.endswith("\r") else ""
        # Only what is new is searched and copied: a long line may come in many pieces.
        first, *more = _LINE_END.split(text[: len(text) - len(self._half)])
        self._open.append(first)
        self._letters += len(first)
        if self._letters > MAX_MESSAGE_LETTERS:
            raise NotHttp("a line of the stream is too long")
        if not more:
            return []
        lines = ["".join(self._open), *more[:-1]]
        self._open, self._letters = [more[-1]], len(more[-1])
        return lines


@dataclass
class Message:
    id: str
    type: str
    data: str


class SseReader:
    def __init__(self) -> None:
        self._lines = LineReader()
        self._id = ""
        self._type = ""
        self._data: list[str] = []
        self._letters = 0
        #: Moved by blocks without data, too: where a stream that breaks off is taken up again.
        self.last_id = ""
        #: Seconds before coming back, as the service asks for.
        self.retry: float | None = None

    def push(self, data: bytes) -> list[Message]:
        """Returns the messages that these bytes complete."""
        taken = [self._take(line) for line in self._lines.push(data)]
        return [message for message in taken if message is not None]

    def _take(self, line: str) -> Message | None:
        if line == "":
            self.last_id = self._id
            data, kind = self._data, self._type
            self._data, self._type, self._letters = [], "", 0
            return Message(self.last_id, kind or "message", "\n".join(data)) if data else None
        name, _, value = line.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if name == "data":
            self._letters += len(value)
            if self._letters > MAX_MESSAGE_LETTERS:
                raise NotHttp("a message of the stream is too long")
            self._data.append(value)
        elif name == "event":
            self._type = value
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and _MILLISECONDS.fullmatch(value):
            self.retry = int(value) / 1_000
        return None


_LINE_END = re.compile(r"\r\n|\n|\r")
_MILLISECONDS = re.compile(r"[0-9]{1,9}")
