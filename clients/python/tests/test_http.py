"""Both clients read answers alike, against a scripted server."""

from __future__ import annotations

import json
import socket
import time
import unittest
from typing import Any

from proctor_client import AsyncClient, Client, ProctorError

from .support import Script, both, chunked, http, problem

JOB = {"id": "job_1", "status": "queued", "ended_at": None}
JOB_JSON = json.dumps(JOB)


class Reading(unittest.TestCase):
    """HTTP as it may come, read alike by both clients."""

    def test_an_answer_is_read_however_it_is_framed(self) -> None:
        spelled = [JOB_JSON[i : i + 3] for i in range(0, len(JOB_JSON), 3)]
        for answer in (
            http(200, JOB_JSON),
            chunked(*spelled),
            b"HTTP/1.0 200 OK\r\n\r\n" + JOB_JSON.encode(),
            b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + http(200, JOB_JSON),
            http(200, JOB_JSON).replace(b"\r\n", b"\n"),
        ):
            self.assertEqual(both(Script(self, answer).url, "job", "job_1"), JOB)

    def test_a_body_that_comes_byte_by_byte_is_read(self) -> None:
        def dribble(peer: socket.socket) -> None:
            for byte in chunked(JOB_JSON):
                peer.sendall(bytes([byte]))

        self.assertEqual(both(Script(self, dribble).url, "job", "job_1"), JOB)

    def test_an_answer_that_breaks_off_is_no_answer(self) -> None:
        for answer in (
            b"",
            b"HTTP/1.1 200 O",
            http(200, JOB_JSON)[:-3],
            chunked(JOB_JSON, whole=False),
            chunked(JOB_JSON)[:-20],
        ):
            code, *_, attempts = both(Script(self, answer).url, "job", "job_1")
            self.assertEqual((code, attempts), ("unreachable", 5), answer)

    def test_an_answer_that_is_not_the_services_is_not_taken_for_one(self) -> None:
        for answer in (
            http(200, "<html>"),
            http(302, "", "Location: https://elsewhere.test/"),
            b"SSH-2.0-OpenSSH\r\n\r\n",
            http(200, "[" * 200_000),
            b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 101 + b"\r\n",
            b"HTTP/1.1 200 OK\r\nA: " + b"b" * 70_000 + b"\r\n\r\n",
            b"HTTP/1.1 100 Go on\r\n\r\n" * 11,
        ):
            self.assertEqual(both(Script(self, answer).url, "job", "job_1")[0], "unreadable", answer[:60])

    def test_an_answer_larger_than_the_bound_is_given_up(self) -> None:
        for answer in (http(200, json.dumps("x" * 3_000)), chunked(*["x" * 500] * 6)):
            code, message, *_ = both(Script(self, answer).url, "job", "job_1", max_answer_bytes=2_000)
            self.assertEqual(code, "unreadable")
            self.assertIn("larger than 2000 bytes", message)

    def test_an_answer_that_never_ends_is_given_up_and_asked_for_again(self) -> None:
        def drip(peer: socket.socket) -> None:
            # Something comes all the time: a bound on silence alone would wait for ever.
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
            while True:
                peer.sendall(b" ")
                time.sleep(0.02)

        def silence(peer: socket.socket) -> None:
            peer.recv(1)

        for turn in (drip, silence):
            server = Script(self, turn, http(200, JOB_JSON), turn, http(200, JOB_JSON))
            self.assertEqual(both(server.url, "job", "job_1", answer_within=0.2), JOB)
            self.assertEqual(len(server.requests), 4)

    def test_a_refusal_of_a_body_that_was_not_read_is_read(self) -> None:
        def refuse(peer: socket.socket) -> None:
            peer.sendall(problem(413, "body-too-large"))
            peer.shutdown(socket.SHUT_WR)
            while peer.recv(65_536):
                pass

        server = Script(self, refuse)
        request: Any = {"runs": [{"kind": "python", "code": "#" * (4 << 20)}]}
        self.assertEqual(both(server.url, "submit", request)[0], "body-too-large")


class Misconfiguration(unittest.TestCase):
    def test_a_url_or_key_that_cannot_be_used_is_told_without_quoting_it(self) -> None:
        for url, key in (
            ("proctor.test", "key"),
            ("ftp://proctor.test", "key"),
            ("http://", "key"),
            ("http://proctor.test:port", "key"),
            ("http://user:secret@proctor.test", "key"),
            ("http://proctor.test/?a=secret", "key"),
            ("http://proctor.test/a secret", "key"),
            ("http://proctor.test", "secret key"),
            ("http://proctor.test", "secret\r\nX: y"),
        ):
            for client in (Client, AsyncClient):
                with self.assertRaises(ProctorError) as caught:
                    client(url, key)
                self.assertEqual((caught.exception.code, caught.exception.attempts), ("misconfigured", 0))
                self.assertNotIn("secret", str(caught.exception))
