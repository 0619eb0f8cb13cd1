"""Repetition of requests and the error in the end, against a scripted server."""

from __future__ import annotations

import json
import socket
import time
import unittest
from typing import Any

from proctor_client import Client, ProctorError, RetryOptions
from proctor_client._refusal import read_retry_after

from .support import HASTY, Script, both, header, http, problem

JOB = {"id": "job_1", "status": "queued", "ended_at": None}
DONE = {**JOB, "status": "succeeded", "ended_at": "2026-01-01T00:00:00.000Z"}
REQUEST: Any = {"runs": [{"kind": "python", "code": "print(1)"}]}
JOB_JSON = json.dumps(JOB)


def hang_up(peer: socket.socket) -> None:
    peer.close()


class Repetition(unittest.TestCase):
    def test_a_submission_is_repeated_with_one_key_and_one_body_until_it_is_answered(self) -> None:
        server = Script(
            self,
            hang_up,
            problem(500, "internal"),
            problem(503, "not-accepting"),
            http(502, "<html>"),
            http(202, JOB_JSON),
        )
        self.assertEqual(Client(server.url, "key", retry=HASTY).submit(REQUEST), JOB)
        keys = {header(request, "Idempotency-Key") for request in server.requests}
        self.assertEqual(len(server.requests), 5)
        self.assertRegex(keys.pop(), "^[0-9a-f-]{36}$")
        self.assertEqual(keys, set())
        bodies = {request.split(b"\r\n\r\n", 1)[1] for request in server.requests}
        self.assertEqual([json.loads(body) for body in bodies], [REQUEST])
        self.assertTrue(server.requests[0].startswith(b"POST /v1/jobs HTTP/1.1\r\n"))
        self.assertEqual(header(server.requests[0], "Authorization"), "Bearer key")

    def test_a_key_of_the_callers_own_is_sent_as_it_is(self) -> None:
        server = Script(self, http(202, JOB_JSON))
        Client(server.url, "key").submit(REQUEST, idempotency_key="queue-7")
        self.assertEqual(header(server.requests[0], "Idempotency-Key"), "queue-7")

    def test_a_key_that_would_make_another_header_is_refused_before_anything_is_sent(self) -> None:
        server = Script(self, http(202, JOB_JSON))
        with self.assertRaises(ValueError):
            Client(server.url, "key").submit(REQUEST, idempotency_key="a\r\nX-Evil: 1")
        self.assertEqual(server.requests, [])

    def test_a_refusal_is_not_repeated_and_carries_the_problem(self) -> None:
        server = Script(self, problem(422, "validation-failed"))
        with self.assertRaises(ProctorError) as caught:
            Client(server.url, "key").submit(REQUEST)
        error = caught.exception
        self.assertEqual((error.code, error.status, error.title), ("validation-failed", 422, "No"))
        self.assertEqual((error.detail, error.request_id, error.errors), ("because", "req_1", []))
        self.assertEqual((str(error), error.is_transient), ("No: because", False))
        self.assertEqual(len(server.requests), 1)

    def test_after_the_last_attempt_the_last_error_is_told(self) -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            port = closed.getsockname()[1]
        code, message, status, attempts = both(f"http://127.0.0.1:{port}", "status")
        self.assertEqual((code, status, attempts), ("unreachable", None, 5))
        self.assertIn(f"http://127.0.0.1:{port} does not answer: ", message)

    def test_a_call_that_the_service_would_carry_out_twice_is_sent_once(self) -> None:
        server = Script(self, problem(500, "internal"))
        client = Client(server.url, "key", retry=HASTY)
        for call in (lambda: client.retry("run_1"), lambda: client.webhooks.create("https://a.test", ["*"])):
            with self.assertRaises(ProctorError):
                call()
        self.assertEqual(len(server.requests), 2)

    def test_a_delete_whose_answer_was_lost_has_gone_well_when_nothing_is_found_any_more(self) -> None:
        Client(Script(self, hang_up, problem(404, "not-found")).url, "key", retry=HASTY).delete("job_1")
        with self.assertRaisesRegex(ProctorError, "No: because"):
            Client(Script(self, problem(404, "not-found")).url, "key").delete("job_1")

    def test_a_pause_grows_is_jittered_and_is_never_shorter_than_the_service_asks_up_to_a_minute(self) -> None:
        pause = Client("http://proctor.test", "key")._calls._transport.pause
        for attempt, most in ((1, 0.3), (2, 0.6), (3, 1.2), (9, 10.0)):
            pauses = [pause(attempt, None) for _ in range(50)]
            self.assertLessEqual(max(pauses), most)
            self.assertGreaterEqual(min(pauses), most / 2)
            self.assertGreater(len(set(pauses)), 1)
        self.assertEqual((pause(1, 20.0), pause(1, 3_600.0)), (20.0, 60.0))

    def test_retry_after_is_kept_to_and_told(self) -> None:
        server = Script(self, problem(429, "over-quota", "Retry-After: 0.2"), http(200, JOB_JSON))
        began = time.monotonic()
        self.assertEqual(Client(server.url, "key", retry=HASTY).job("job_1"), JOB)
        self.assertGreaterEqual(time.monotonic() - began, 0.2)
        once = Client(server.url, "key", retry=RetryOptions(attempts=1))
        server.turns = [problem(429, "over-quota", "Retry-After: 7")]
        with self.assertRaises(ProctorError) as caught:
            once.job("job_1")
        self.assertEqual((caught.exception.retry_after, caught.exception.is_transient), (7.0, True))
        self.assertEqual(read_retry_after("Thu, 01 Jan 1970 00:01:00 GMT", 0.0), 60.0)
        self.assertEqual([read_retry_after(text, 0.0) for text in ("", "soon", "-1", "١", None)], [None] * 5)

    def test_a_wait_outlives_a_service_that_is_away_for_a_while(self) -> None:
        server = Script(self, hang_up, hang_up, hang_up, hang_up, http(200, json.dumps(DONE)))
        seen: Any = []
        client = Client(server.url, "key", retry=RetryOptions(2, 0.01, 0.01))
        client.wait("job_1", on_update=lambda job: seen.append(job["status"]), update_every=0.01)
        self.assertEqual(seen, ["succeeded"])

    def test_an_id_cannot_lead_to_another_path(self) -> None:
        server = Script(self, http(200, JOB_JSON))
        Client(f"{server.url}/base/", "key").job("../status?x=1")
        self.assertTrue(server.requests[0].startswith(b"GET /base/v1/jobs/..%2Fstatus%3Fx%3D1 HTTP/1.1"))
