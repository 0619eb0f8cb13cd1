"""The asyncio client against the real service: what it shares with the blocking one, and what is its own."""

from __future__ import annotations

import asyncio
import inspect
import socket
import threading
import unittest
from contextlib import suppress
from typing import Any, List

from proctor_client import AsyncClient, Client, ProctorError
from proctor_client._webhooks import AsyncWebhooks, Webhooks

from .support import HASTY, Script, needs_service, pretended


class Parity(unittest.TestCase):
    def test_both_clients_have_the_same_calls_with_the_same_parameters(self) -> None:
        for blocking, asynchronous in ((Client, AsyncClient), (Webhooks, AsyncWebhooks)):
            calls = [
                {
                    name: list(inspect.signature(call).parameters.values())
                    for name, call in inspect.getmembers(kind, inspect.isfunction)
                    if not name.startswith("_")
                }
                for kind in (blocking, asynchronous)
            ]
            self.assertGreater(len(calls[0]), 7)
            self.assertEqual(str(calls[0]).replace("Awaitable", ""), str(calls[1]))


class Cancellation(unittest.TestCase):
    def leave(self, begin: Any) -> None:
        """The peer sees the end of the connection once the task is cancelled, and not before."""
        is_asked, is_left = threading.Event(), threading.Event()

        def wait_for_the_end(peer: socket.socket) -> None:
            is_asked.set()
            with suppress(OSError):
                while peer.recv(1):
                    pass
            is_left.set()

        server = Script(self, wait_for_the_end)

        async def cancel() -> None:
            task = asyncio.ensure_future(begin(AsyncClient(server.url, "key", retry=HASTY)))
            await asyncio.get_running_loop().run_in_executor(None, is_asked.wait, 60)
            self.assertFalse(is_left.is_set())
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            # While the loop still runs: it is not its end that closes the connection.
            self.assertTrue(await asyncio.get_running_loop().run_in_executor(None, is_left.wait, 60))

        asyncio.run(cancel())
        self.assertEqual(len(server.requests), 1)

    def test_a_cancelled_wait_closes_its_connection_and_is_not_repeated(self) -> None:
        self.leave(lambda proctor: proctor.wait("job_1"))

    def test_a_cancelled_stream_closes_its_connection_and_is_not_repeated(self) -> None:
        async def listen(proctor: AsyncClient) -> None:
            async for _ in proctor.events("all"):
                pass

        self.leave(listen)

    def test_an_abandoned_stream_closes_its_connection(self) -> None:
        is_left = threading.Event()

        def stream(peer: socket.socket) -> None:
            peer.sendall(b"HTTP/1.1 200 OK\r\n\r\nid: 1\ndata: {}\n\n")
            with suppress(OSError):
                while peer.recv(1):
                    pass
            is_left.set()

        def listen_blocking(url: str) -> None:
            for _ in Client(url, "key").events("all"):
                break

        async def listen(url: str) -> None:
            events = AsyncClient(url, "key").events("all")
            async for _ in events:
                break
            await events.aclose()
            self.assertTrue(await asyncio.get_running_loop().run_in_executor(None, is_left.wait, 60))

        listen_blocking(Script(self, stream).url)
        self.assertTrue(is_left.wait(60))
        is_left.clear()
        asyncio.run(listen(Script(self, stream).url))

    def test_a_blocking_client_may_be_used_where_an_event_loop_runs(self) -> None:
        async def ask() -> Any:
            return Client(Script(self, b"HTTP/1.0 200 OK\r\n\r\n{}").url, "key").status()

        self.assertEqual(asyncio.run(ask()), {})


@needs_service
class Service(unittest.TestCase):
    def test_a_job_is_handed_in_listened_to_waited_for_and_read_back(self) -> None:
        async def story() -> None:
            proctor = AsyncClient(retry=HASTY)
            job = await proctor.submit({"runs": [{"kind": "python", "code": "print(6 * 7)"}]})
            types = [event["type"] async for event in proctor.events(job["id"])]
            self.assertEqual((types[0], types[-1]), ("job.created", "job.succeeded"))
            seen: List[str] = []

            async def on_update(now: Any) -> None:
                await asyncio.sleep(0)
                seen.append(now["status"])

            self.assertEqual((await proctor.wait(job["id"], on_update=on_update))["status"], "succeeded")
            self.assertEqual(seen, ["succeeded"])
            (run,) = [run async for run in proctor.runs(job["id"])]
            self.assertEqual((await proctor.output(run["id"]))["stdout"].strip(), "42")
            self.assertTrue((await proctor.logs(run["id"]))["entries"])
            self.assertEqual([row["status"] async for row in proctor.results(job["id"])], ["succeeded"])
            await proctor.delete(job["id"])
            with self.assertRaises(ProctorError):
                await proctor.job(job["id"])

        asyncio.run(story())

    def test_fifty_waits_share_one_event_loop(self) -> None:
        async def story() -> List[str]:
            proctor = AsyncClient(retry=HASTY)

            async def perform(number: int) -> str:
                job = await proctor.submit({"runs": [pretended()]}, idempotency_key=f"fifty-{id(proctor)}-{number}")
                return (await proctor.wait(job["id"]))["status"]

            return await asyncio.gather(*map(perform, range(50)))

        self.assertEqual(asyncio.run(story()), ["succeeded"] * 50)
