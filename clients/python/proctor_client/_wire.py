"""Bytes to the service and back, blocking or on asyncio.

All else is written once, as coroutines over a `Wire`. Those of `BlockingWire` never suspend, so that `run` takes a
coroutine to its end without an event loop.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from typing import Any, AsyncGenerator, Coroutine, Generator, Protocol, TypeVar

from ._endpoint import Endpoint

T = TypeVar("T")
PIECE = 65_536


class Connection(Protocol):
    """One connection; `deadline` is a moment of `time.monotonic()`, after which TimeoutError is raised."""

    async def send(self, data: bytes, deadline: float) -> None: ...

    async def receive(self, deadline: float) -> bytes:
        """Returns at least one byte, none at the end."""
        ...

    def close(self) -> None: ...


class Wire(Protocol):
    async def connect(self, to: Endpoint, tls: ssl.SSLContext | None, deadline: float) -> Connection: ...

    async def pause(self, seconds: float) -> None: ...


def left(deadline: float) -> float:
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("it takes too long")
    return seconds


class BlockingWire:
    async def connect(self, to: Endpoint, tls: ssl.SSLContext | None, deadline: float) -> Connection:
        plain = socket.create_connection((to.host, to.port), timeout=left(deadline))
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return _BlockingConnection(plain if tls is None else tls.wrap_socket(plain, server_hostname=to.host))
        except BaseException:
            plain.close()
            raise

    async def pause(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds))


class _BlockingConnection:
    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    async def send(self, data: bytes, deadline: float) -> None:
        rest = memoryview(data)
        while rest:
            self._socket.settimeout(left(deadline))
            rest = rest[self._socket.send(rest[:PIECE]) :]

    async def receive(self, deadline: float) -> bytes:
        self._socket.settimeout(left(deadline))
        return self._socket.recv(PIECE)

    def close(self) -> None:
        self._socket.close()


class AsyncioWire:
    async def connect(self, to: Endpoint, tls: ssl.SSLContext | None, deadline: float) -> Connection:
        opening = asyncio.ensure_future(
            asyncio.open_connection(to.host, to.port, ssl=tls, server_hostname=None if tls is None else to.host)
        )
        # Not `wait_for`: before Python 3.12 it may swallow a cancellation and lose the connection.
        try:
            await asyncio.wait({opening}, timeout=left(deadline))
            if not opening.done():
                raise TimeoutError("it takes too long")
            return _AsyncioConnection(*opening.result())
        except BaseException:
            opening.cancel()
            opening.add_done_callback(_abort_late)
            raise

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))


def _abort_late(opening: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result()[1].transport.abort()


class _AsyncioConnection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._is_overdue = False

    async def send(self, data: bytes, deadline: float) -> None:
        self._writer.write(data)
        await self._within(deadline, self._writer.drain())

    async def receive(self, deadline: float) -> bytes:
        return await self._within(deadline, self._reader.read(PIECE))

    async def _within(self, deadline: float, step: Coroutine[Any, Any, T]) -> T:
        timer = asyncio.get_running_loop().call_later(deadline - time.monotonic(), self._expire)
        try:
            result = await step
        except OSError:
            if not self._is_overdue:
                raise
        finally:
            timer.cancel()
        if self._is_overdue:
            raise TimeoutError("it takes too long")
        return result

    def _expire(self) -> None:
        self._is_overdue = True
        self.close()

    def close(self) -> None:
        # At once, also where the task is being cancelled and can wait for nothing.
        self._writer.transport.abort()


def run(steps: Coroutine[Any, Any, T]) -> T:
    """Returns the result of a coroutine that never suspends."""
    try:
        steps.send(None)
    except StopIteration as end:
        return end.value
    steps.close()
    raise RuntimeError("a blocking client cannot wait for a coroutine; use AsyncClient")


def iterate(items: AsyncGenerator[T, None]) -> Generator[T, None, None]:
    """The same items, of an async generator that never suspends."""
    try:
        while True:
            try:
                item = run(items.__anext__())
            except StopAsyncIteration:
                return
            yield item
    finally:
        run(items.aclose())
