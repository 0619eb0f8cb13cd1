"""Helpers of the tests: the real service of the environment, a scripted server, a proxy that cuts connections."""

from __future__ import annotations

import asyncio
import os
import socket
import socketserver
import threading
import unittest
from typing import Any, Callable, List, Union
from urllib.parse import urlsplit

from proctor_client import AsyncClient, Client, ProctorError, RetryOptions

HASTY = RetryOptions(first_pause=0.01, longest_pause=0.02)

needs_service = unittest.skipUnless(
    os.environ.get("PROCTOR_URL") and os.environ.get("PROCTOR_API_KEY"),
    "PROCTOR_URL and PROCTOR_API_KEY name no service",
)


def pretended(switches: str = "", **more: Any) -> Any:
    """A run that the emulated Lyceum pretends; `switches` are the emulator's directives."""
    directives = [f"# emulator: {switches}"] if switches else []
    return {"kind": "image", "docker_image_ref": "busybox", "docker_run_cmd": ["true", *directives], **more}


def http(status: int, body: str = "", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", *headers, f"Content-Length: {len(body.encode())}", "", body]
    return "\r\n".join(lines).encode()


def problem(status: int, kind: str, *headers: str) -> bytes:
    body = f'{{"type":"urn:proctor:problem:{kind}","title":"No","status":{status},"detail":"because"}}'
    return http(status, body, "X-Request-Id: req_1", *headers)


def chunked(*chunks: str, whole: bool = True) -> bytes:
    """A stream in chunks; without `whole` it breaks off."""
    head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    sized = "".join(f"{len(chunk.encode()):x}\r\n{chunk}\r\n" for chunk in chunks)
    return (head + sized + ("0\r\n\r\n" if whole else "")).encode()


Turn = Union[bytes, Callable[[socket.socket], None]]


class Server(socketserver.ThreadingTCPServer):
    """Listens on loopback until the test is over."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, test: unittest.TestCase, handle: Callable[[socket.socket], None]) -> None:
        super().__init__(("127.0.0.1", 0), socketserver.BaseRequestHandler)
        self._handle = handle
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        test.addCleanup(self.server_close)
        test.addCleanup(self.shutdown)

    def finish_request(self, request: Any, client_address: Any) -> None:
        self._handle(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is part of the tests."""


class Script(Server):
    """Answers each request with the next turn of the script, and the last turn for ever."""

    def __init__(self, test: unittest.TestCase, *turns: Turn) -> None:
        self.turns = list(turns)
        self.requests: List[bytes] = []
        super().__init__(test, self._answer)

    def _answer(self, peer: socket.socket) -> None:
        request = read_request(peer)
        if not request:
            return
        self.requests.append(request)
        turn = self.turns[min(len(self.requests), len(self.turns)) - 1]
        if callable(turn):
            turn(peer)
        else:
            peer.sendall(turn)


def read_request(peer: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = peer.recv(65_536)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(header(data, "Content-Length") or 0)
    while len(body) < length:
        body += peer.recv(65_536)
    return head + b"\r\n\r\n" + body


def header(request: bytes, name: str) -> str:
    for line in request.split(b"\r\n\r\n")[0].decode().split("\r\n")[1:]:
        if line.lower().startswith(name.lower() + ": "):
            return line.split(": ", 1)[1]
    return ""


def cutting_proxy(test: unittest.TestCase, url: str, after: int) -> Server:
    """Stands before the service and cuts each connection after so many bytes of its answer."""
    there = urlsplit(url)

    def relay(peer: socket.socket) -> None:
        with socket.create_connection((there.hostname, there.port)) as service:
            service.sendall(read_request(peer))
            left = after
            while left > 0 and (piece := service.recv(left)):
                # The service asks for two seconds before coming back: too long for a test.
                peer.sendall(piece.replace(b"retry: 2000", b"retry: 0010"))
                left -= len(piece)

    return Server(test, relay)


def both(url: str, name: str, *args: Any, **options: Any) -> Any:
    """Returns the outcome of a call, which must be the same with both clients."""
    outcomes = []
    for client in (Client, AsyncClient):
        try:
            result = getattr(client(url, "key", retry=HASTY, **options), name)(*args)
            outcomes.append(asyncio.run(result) if asyncio.iscoroutine(result) else result)
        except ProctorError as error:
            outcomes.append((error.code, str(error), error.status, error.attempts))
    if outcomes[0] != outcomes[1]:
        raise AssertionError(f"the clients differ: {outcomes}")
    return outcomes[0]
