"""The blocking client against the real service and the emulated Lyceum."""

from __future__ import annotations

import os
import socket
import unittest
from typing import Any, List

from proctor_client import Client, Event, Job, ProctorError, ResultRow, Run, _streams, verify_webhook

from .support import HASTY, Server, cutting_proxy, http, needs_service, pretended, read_request


@needs_service
class Service(unittest.TestCase):
    def setUp(self) -> None:
        self.proctor = Client(retry=HASTY)

    def test_a_job_is_handed_in_waited_for_and_read_back_with_all_that_was_fetched(self) -> None:
        proctor = self.proctor
        adds: Any = {"kind": "python", "name": "adds", "code": "print(1 + 1)\n"}
        fails = pretended("exit=3", name="fails", matrix={"LR": ["0.1", "0.2"]})
        job_id = proctor.submit({"name": "python sweep", "runs": [adds, fails]})["id"]
        updates: List[str] = []
        job = proctor.wait(job_id, on_update=lambda now: updates.append(now["status"]), update_every=0.1)
        self.assertEqual((job["status"], job["progress"], updates[-1]), ("failed", 1, "failed"))
        self.assertEqual((job["counts"]["succeeded"], job["counts"]["failed"]), (1, 2))

        first, second, third = proctor.runs(job_id)
        self.assertEqual([run["status"] for run in (first, second, third)], ["succeeded", "failed", "failed"])
        artifacts = proctor.artifacts(first["id"])
        assert artifacts["output"] and artifacts["logs"] and artifacts["metrics"] and artifacts["timing"]
        self.assertIn("2", artifacts["output"]["stdout"])
        self.assertIn("2", [entry["message"].strip() for entry in artifacts["logs"]["entries"]])
        self.assertIn("series", artifacts["metrics"]["summary"])
        self.assertRegex(proctor.logs_text(first["id"]), r"(?m)^\d{4}-.* 2$")
        self.assertEqual(list(proctor.follow_logs(first["id"])), artifacts["logs"]["entries"])
        rows = list(proctor.results(job_id))
        self.assertEqual([(row["matrix"] or {}).get("LR") for row in rows], [None, "0.1", "0.2"])
        self.assertTrue(proctor.results_csv(job_id).startswith("run_id,position,name,LR,status,"))
        self.assertIn(job_id, [one["id"] for one in proctor.jobs(name="python sweep", status="failed")])

        again = proctor.retry(second["id"])
        self.assertEqual(again["retry_of"], second["id"])
        ended = proctor.wait_run(again["id"])
        self.assertEqual((ended["status"], ended["return_code"]), ("failed", 3))
        execution = proctor.execution(ended["executions"][0]["id"])
        self.assertEqual(execution["run_id"], again["id"])
        self.assertEqual(len(list(proctor.callbacks(execution["id"]))), 1)
        for shape, answer in ((Job, job), (Run, first), (ResultRow, rows[0])):
            self.assertLessEqual(shape.__required_keys__, set(answer))

        proctor.delete(job_id)
        with self.assertRaises(ProctorError) as caught:
            proctor.job(job_id)
        error = caught.exception
        self.assertEqual((error.code, error.status, error.type), ("not-found", 404, "urn:proctor:problem:not-found"))
        self.assertTrue(error.request_id)

    def test_an_answer_that_was_lost_costs_no_second_job(self) -> None:
        # Nothing of the first answer gets through, and all of the second.
        relays: List[int] = []

        def lossy(peer: socket.socket) -> None:
            relays.append(0)
            request = read_request(peer)
            with socket.create_connection(("127.0.0.1", int(os.environ["PROCTOR_URL"].split(":")[-1]))) as service:
                service.sendall(request)
                while piece := service.recv(65_536):
                    if len(relays) > 1:
                        peer.sendall(piece)

        name = f"lost answer {os.getpid()}"
        job = Client(Server(self, lossy).url, retry=HASTY).submit({"name": name, "runs": [pretended()]})
        self.assertEqual(len(relays), 2)
        self.assertEqual([one["id"] for one in self.proctor.jobs(name=name)], [job["id"]])

    def test_a_wrong_job_is_refused_with_all_that_is_wrong(self) -> None:
        wrong: Any = {"runs": [{"kind": "python", "code": "1", "timeout": 0, "machine_type": "gpu"}]}
        with self.assertRaises(ProctorError) as caught:
            self.proctor.submit(wrong)
        self.assertEqual((caught.exception.code, caught.exception.status), ("validation-failed", 422))
        pointers = {error["pointer"] for error in caught.exception.errors}
        self.assertEqual(pointers, {"/runs/0/timeout", "/runs/0/machine_type"})

    def test_a_wait_ends_with_the_outcome_or_its_time_and_the_job_goes_on(self) -> None:
        proctor = self.proctor
        job_id = proctor.submit({"runs": [pretended("delay=60s")]})["id"]
        with self.assertRaises(ProctorError) as caught:
            proctor.wait(job_id, timeout=0.1)
        self.assertEqual(caught.exception.code, "timeout")
        proctor.cancel(job_id)
        self.assertEqual(proctor.wait(job_id)["status"], "cancelled")
        job_id = proctor.submit({"runs": [pretended("exit=3")]})["id"]
        proctor.wait(job_id, for_="outcome")
        (run,) = proctor.runs(job_id)
        self.assertEqual(proctor.wait_run(run["id"], for_="outcome")["outcome"], "failed")
        self.assertEqual(proctor.cancel_run(run["id"])["outcome"], "failed")

    def test_a_stream_that_is_cut_anywhere_is_taken_up_without_gap_or_repeat(self) -> None:
        job_id = self.proctor.submit({"runs": [pretended(), pretended("exit=1")]})["id"]
        whole = list(self.proctor.events(job_id))
        self.assertEqual((whole[0]["type"], whole[-1]["type"]), ("job.created", "job.failed"))
        self.assertLessEqual(Event.__required_keys__, set(whole[0]))
        # The heads take some hundred bytes, and an event must get through for the stream to go on.
        for after in (1_500, 1_777, 2_222):
            proxy = cutting_proxy(self, os.environ["PROCTOR_URL"], after)
            events = list(Client(proxy.url, retry=HASTY).events(job_id))
            self.assertEqual([event["seq"] for event in events], [event["seq"] for event in whole])
        jobs = self.proctor.events(job_id, types=["job.*"])
        self.assertEqual([event["type"] for event in jobs], ["job.created", "job.active", "job.failed"])
        rest = list(self.proctor.events(job_id, last_event_id=whole[-2]["seq"]))
        self.assertEqual([event["type"] for event in rest], ["job.failed"])

    def test_a_log_is_followed_while_its_run_lives(self) -> None:
        self.addCleanup(setattr, _streams, "PAUSE", _streams.PAUSE)
        _streams.PAUSE = 0.05
        job_id = self.proctor.submit({"runs": [{"kind": "python", "code": "print('a')\nprint('b')\n"}]})["id"]
        (run,) = self.proctor.runs(job_id)
        messages = [entry["message"].strip() for entry in self.proctor.follow_logs(run["id"])]
        self.assertEqual([message for message in messages if message in ("a", "b")], ["a", "b"])

    def test_a_webhook_is_subscribed_verified_listed_and_taken_away(self) -> None:
        deliveries: List[bytes] = []

        def receive(peer: socket.socket) -> None:
            deliveries.append(read_request(peer))
            peer.sendall(http(204))

        webhooks = self.proctor.webhooks
        made = webhooks.create(Server(self, receive).url, ["job.succeeded"])
        self.addCleanup(webhooks.delete, made["id"])
        job_id = self.proctor.submit({"runs": [pretended()]})["id"]
        self.proctor.wait(job_id)
        sent: List[Any] = []
        while not sent or sent[0]["state"] == "pending":
            sent = [one for one in webhooks.deliveries(made["id"]) if one["job_id"] == job_id]
        head, body = next(one for one in deliveries if job_id.encode() in one).split(b"\r\n\r\n", 1)
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
        payload = verify_webhook(made["secret"], headers, body)
        self.assertEqual((payload["type"], payload["data"]["job_id"]), ("job.succeeded", job_id))
        self.assertEqual(webhooks.redeliver(made["id"], sent[0]["id"])["webhook_id"], made["id"])
        self.assertNotEqual(webhooks.rotate(made["id"])["secret"], made["secret"])
        self.assertEqual(webhooks.enable(made["id"])["status"], "ok")
        self.assertEqual(webhooks.get(made["id"])["url"], made["url"])
        self.assertIn(made["id"], [one["id"] for one in webhooks.list()])

    def test_status_hardware_and_usage_are_told(self) -> None:
        self.assertTrue(self.proctor.status()["accepting"])
        self.assertIn("data", self.proctor.machine_types())
        self.assertIn("executions", self.proctor.usage(group="key")["total"])
