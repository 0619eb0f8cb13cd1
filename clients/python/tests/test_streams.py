"""Events and logs as they grow, against a server that keeps to a script: broken streams, pauses, bounds."""

from __future__ import annotations

import asyncio
import json
import unittest
from typing import Any

from proctor_client import AsyncClient, Client, ProctorError
from proctor_client import _sse, _streams
from proctor_client._http import NotHttp
from proctor_client._sse import SseReader

from .support import HASTY, Script, chunked, header, http, problem


def event(seq: int, kind: str = "run.queued") -> str:
    return f'id: {seq}\nevent: {kind}\ndata: {{"seq": {seq}, "type": "{kind}"}}\n\n'


def seqs(events: Any) -> list[int]:
    return [one["seq"] for one in events]


async def gather(items: Any) -> list[Any]:
    return [item async for item in items]


class Reader(unittest.TestCase):
    def test_messages_are_the_same_in_whatever_pieces_they_come(self) -> None:
        text = (
            "\ufeffid: 1\r\nevent: a\r\ndata: é\u2028\r\ndata:two\r\n\r\n"
            ": a comment\n\nid: 2\n\ndata\rretry: 10\r\rdata: cut"
        )
        data = text.encode()
        for size in range(1, len(data) + 1):
            reader = SseReader()
            found = [m for i in range(0, len(data), size) for m in reader.push(data[i : i + size])]
            told = [(message.id, message.type, message.data) for message in found]
            self.assertEqual(told, [("1", "a", "é\u2028\ntwo"), ("2", "message", "")], size)
            self.assertEqual((reader.last_id, reader.retry), ("2", 0.01))

    def test_a_message_without_end_is_given_up(self) -> None:
        for line in (b"data: " + b"x" * 1_000, b"data: " + b"x" * 1_000 + b"\n"):
            reader = SseReader()
            with self.assertRaises(NotHttp):
                for _ in range(_sse.MAX_MESSAGE_LETTERS // 1_000 + 2):
                    reader.push(line)


class Events(unittest.TestCase):
    def setUp(self) -> None:
        self.addCleanup(setattr, _streams, "PAUSE", _streams.PAUSE)
        _streams.PAUSE = 0.01

    def test_a_stream_that_breaks_off_is_taken_up_by_the_last_id_until_nothing_more_is_to_come(self) -> None:
        turns = (
            chunked("retry: 10\nid: 0\n\n", event(1), event(2), "id: 3\nda", whole=False),
            problem(503, "not-accepting"),
            chunked(event(3), ": heartbeat\n\n"),
            chunked(event(4)),
            http(204),
        )
        server = Script(self, *turns)
        self.assertEqual(seqs(Client(server.url, "key", retry=HASTY).events("job_1")), [1, 2, 3, 4])
        positions = [header(request, "Last-Event-ID") for request in server.requests]
        self.assertEqual(positions, ["", "2", "2", "3", "4"])
        server = Script(self, *turns)
        client = AsyncClient(server.url, "key", retry=HASTY)
        self.assertEqual(seqs(asyncio.run(gather(client.events("all", last_event_id=0)))), [1, 2, 3, 4])
        self.assertTrue(server.requests[0].startswith(b"GET /v1/events HTTP/1.1"))
        self.assertEqual(header(server.requests[0], "Last-Event-ID"), "0")

    def test_a_refusal_and_a_stream_of_nonsense_end_it(self) -> None:
        for turn, code in (
            (problem(404, "not-found"), "not-found"),
            (chunked("data: {\n\n"), "unreadable"),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "unreadable"),
        ):
            with self.assertRaises(ProctorError) as caught:
                list(Client(Script(self, turn).url, "key", retry=HASTY).events("job_1"))
            self.assertEqual(caught.exception.code, code)

    def test_a_silent_stream_is_given_up_and_taken_up_again(self) -> None:
        self.addCleanup(setattr, _streams, "SILENCE", _streams.SILENCE)
        _streams.SILENCE = 0.1

        def silent(peer: Any) -> None:
            peer.sendall(chunked(event(1), whole=False))
            peer.recv(1)

        server = Script(self, silent, chunked(event(2)), http(204))
        self.assertEqual(seqs(Client(server.url, "key", retry=HASTY).events("job_1")), [1, 2])
        self.assertEqual(header(server.requests[1], "Last-Event-ID"), "1")

    def test_a_service_that_does_not_come_back_is_given_up(self) -> None:
        self.addCleanup(setattr, _streams, "MAX_OUTAGE", _streams.MAX_OUTAGE)
        _streams.MAX_OUTAGE = 0.2
        server = Script(self, chunked(event(1), whole=False), lambda peer: peer.close())
        events = Client(server.url, "key", retry=HASTY).events("job_1")
        self.assertEqual(next(events)["seq"], 1)
        with self.assertRaises(ProctorError) as caught:
            list(events)
        self.assertEqual(caught.exception.code, "unreachable")

    def test_types_are_asked_for(self) -> None:
        server = Script(self, chunked(event(1)), http(204))
        list(Client(server.url, "key").events("job_1", types=["job.*", "run.failed"]))
        self.assertIn(b"?types=job.%2A%2Crun.failed ", server.requests[0])


def line(number: int) -> str:
    return json.dumps({"message": f"line {number}\u2028"}, ensure_ascii=False) + "\n"


class FollowLogs(unittest.TestCase):
    def setUp(self) -> None:
        self.addCleanup(setattr, _streams, "PAUSE", _streams.PAUSE)
        _streams.PAUSE = 0.01

    def test_a_log_is_followed_over_breaks_without_repeats_until_the_run_has_ended(self) -> None:
        live, over = (http(200, json.dumps({"ended_at": at})) for at in (None, "2026-01-01T00:00:00.000Z"))
        turns = (
            *(live, problem(404, "not-ready")),
            *(live, chunked(line(1), "\n", line(2), line(3)[:5], whole=False)),
            *(live, problem(503, "not-accepting"), problem(503, "not-accepting"), chunked(line(1), line(2), line(3))),
            *(over, http(200, "".join(line(number) for number in range(1, 5)))),
        )
        messages = [f"line {number}\u2028" for number in range(1, 5)]
        server = Script(self, *turns)
        followed: Any = Client(server.url, "key", retry=HASTY).follow_logs("run_1")
        self.assertEqual([entry["message"] for entry in followed], messages)
        asked = [request.split(b" HTTP")[0].decode() for request in server.requests]
        self.assertEqual(asked[1], "GET /v1/runs/run_1/logs?follow=true")
        self.assertEqual(asked[-1], "GET /v1/runs/run_1/logs")
        client = AsyncClient(Script(self, *turns).url, "key", retry=HASTY)
        followed = asyncio.run(gather(client.follow_logs("run_1")))
        self.assertEqual([entry["message"] for entry in followed], messages)

    def test_a_log_that_cannot_be_had_is_an_error(self) -> None:
        over = http(200, json.dumps({"ended_at": "2026-01-01T00:00:00.000Z"}))
        for kind in ("unavailable", "not-ready"):
            with self.assertRaises(ProctorError) as caught:
                list(Client(Script(self, over, problem(404, kind)).url, "key").follow_logs("run_1"))
            self.assertEqual(caught.exception.code, kind)


class Lists(unittest.TestCase):
    def test_filters_and_cursors_are_sent_and_pages_are_read_as_they_are_taken(self) -> None:
        server = Script(
            self,
            http(200, '{"data": [{"id": "run_1"}], "next_cursor": "c/1"}'),
            http(200, '{"data": [{"id": "run_2"}], "next_cursor": null}'),
        )
        runs = Client(server.url, "key").runs(status=["failed", "cancelled"], reason="out_of_memory")
        self.assertEqual(next(runs)["id"], "run_1")
        self.assertEqual(len(server.requests), 1)
        self.assertEqual([run["id"] for run in runs], ["run_2"])
        first, second = (request.split(b" ")[1].decode() for request in server.requests)
        self.assertEqual(first, "/v1/runs?limit=200&status=failed%2Ccancelled&reason=out_of_memory")
        self.assertEqual(second, f"{first}&cursor=c%2F1")
