"""One HTTP/1.1 exchange on a connection of its own. Sizes and times are bounded; framing is RFC 9112."""

from __future__ import annotations

import re
import ssl
import time
from dataclasses import dataclass, field
from email.message import Message
from http.client import HTTPException, parse_headers
from io import BytesIO
from typing import AsyncGenerator, Mapping

from ._endpoint import Endpoint
from ._wire import Connection, Wire

MAX_HEAD_BYTES = 65_536
MAX_INTERIM_ANSWERS = 10


class NotHttp(Exception):
    """The answer breaks the protocol or a bound."""


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    """Path and query, percent-encoded."""
    headers: Mapping[str, str]
    body: bytes | None = None

    def head(self) -> bytes:
        length = {} if self.body is None else {"Content-Length": str(len(self.body))}
        if self.body is None and self.method != "GET":
            length = {"Content-Length": "0"}
        lines = [f"{name}: {value}" for name, value in {**self.headers, **length}.items()]
        for line in lines:
            if not _FIELD.fullmatch(line):
                raise ValueError(f"{line.split(':')[0]} holds characters that no HTTP header takes")
        return "\r\n".join([f"{self.method} {self.target} HTTP/1.1", *lines, "", ""]).encode("latin-1")


@dataclass
class Answer:
    """An answer whose body is still to be read. Belongs to its reader, who closes it."""

    connection: Connection
    deadline: float
    """A moment of `time.monotonic()`."""
    status: int = 0
    headers: Message = field(default_factory=Message)
    silence: float | None = None
    """For streams, in place of the deadline: seconds within which something must come."""
    _buffer: bytearray = field(default_factory=bytearray)

    def close(self) -> None:
        self.connection.close()

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The body as it comes. Raises ConnectionError where it breaks off."""
        if self.status in (204, 304):
            return
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            async for piece in self._chunks():
                yield piece
            return
        length = self.headers.get("Content-Length")
        if length is None:
            while piece := await self._some(None):
                yield piece
            return
        if not _LENGTH.fullmatch(length.strip()):
            raise NotHttp("Content-Length is no number")
        async for piece in self._exactly(int(length)):
            yield piece

    async def read(self, most: int) -> bytes:
        """The whole body. Raises NotHttp beyond so many bytes."""
        body = bytearray()
        async for piece in self.pieces():
            body += piece
            if len(body) > most:
                raise NotHttp(f"the answer is larger than {most} bytes")
        return bytes(body)

    async def read_head(self) -> None:
        for _ in range(MAX_INTERIM_ANSWERS):
            start = _STATUS.fullmatch(await self._line())
            if start is None:
                raise NotHttp("the answer is no HTTP")
            lines: list[bytes] = []
            size = 0
            while not lines or lines[-1] not in (b"\r\n", b"\n"):
                lines.append(await self._line())
                size += len(lines[-1])
                if size > MAX_HEAD_BYTES:
                    raise NotHttp("the head of the answer is too large")
            try:
                self.headers = parse_headers(BytesIO(b"".join(lines)))
            except HTTPException as cause:
                raise NotHttp(str(cause)) from cause
            self.status = int(start[1])
            if self.status >= 200:
                return
        raise NotHttp("too many interim answers")

    async def _chunks(self) -> AsyncGenerator[bytes, None]:
        while True:
            size = _CHUNK.fullmatch(await self._line())
            if size is None:
                raise NotHttp("a chunk without a size")
            if int(size[1], 16) == 0:
                # Trailers say nothing, and the connection is not used again.
                return
            async for piece in self._exactly(int(size[1], 16)):
                yield piece
            if (await self._line()).strip():
                raise NotHttp("a chunk of another size than it says")

    async def _exactly(self, size: int) -> AsyncGenerator[bytes, None]:
        while size > 0:
            piece = await self._some(size)
            if not piece:
                raise ConnectionError("the answer breaks off")
            size -= len(piece)
            yield piece

    async def _some(self, most: int | None) -> bytes:
        if not self._buffer:
            self._buffer += await self._receive()
        piece = bytes(self._buffer[:most])
        del self._buffer[: len(piece)]
        return piece

    async def _line(self) -> bytes:
        looked = 0
        while (end := self._buffer.find(b"\n", looked)) < 0:
            looked = len(self._buffer)
            if looked > MAX_HEAD_BYTES:
                raise NotHttp("a line of the answer is too long")
            piece = await self._receive()
            if not piece:
                raise ConnectionError("the answer breaks off")
            self._buffer += piece
        return await self._some(end + 1)

    async def _receive(self) -> bytes:
        deadline = self.deadline if self.silence is None else time.monotonic() + self.silence
        return await self.connection.receive(deadline)


async def exchange(
    wire: Wire, to: Endpoint, tls: ssl.SSLContext | None, request: Request, deadline: float
) -> Answer:
    """Returns the answer once its head is there. Raises OSError or NotHttp."""
    head = request.head()
    connection = await wire.connect(to, tls, deadline)
    try:
        try:
            await connection.send(head + (request.body or b""), deadline)
        except ConnectionError:
            # A server that refuses a large body answers and hangs up before it has read all.
            pass
        answer = Answer(connection, deadline)
        await answer.read_head()
        return answer
    except BaseException:
        connection.close()
        raise


_FIELD = re.compile(r"[\x21-\x7e]+: [\x20-\x7e]*")
_LENGTH = re.compile(r"[0-9]{1,15}")
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: [^\r\n]*)?\r?\n")
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,12})[ \t]*(?:;[^\r\n]*)?\r?\n")
