"""The recipes, run against the real service; Celery by itself where it is installed, the others as imitated."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import os
import sys
import types
import unittest
from typing import Any
from unittest import mock

from proctor_client import Client

from . import imitations
from .support import HASTY, needs_service, pretended


def load(recipe: str) -> Any:
    return importlib.import_module(f"recipes.{recipe}")


@needs_service
class Recipes(unittest.TestCase):
    def setUp(self) -> None:
        self.proctor = Client(retry=HASTY)
        self.name = f"{self.id()} {os.getpid()}"
        modules = dict(sys.modules)
        self.addCleanup(lambda: [sys.modules.pop(name) for name in set(sys.modules) - set(modules)])

    def request(self, switches: str = "") -> Any:
        return {"name": self.name, "runs": [pretended(switches)]}

    def job_count(self) -> int:
        return len(list(self.proctor.jobs(name=self.name)))

    def test_a_celery_task_waits_in_turns_and_begins_one_job(self) -> None:
        if importlib.util.find_spec("celery") is None:
            imitations.celery()
        else:
            from celery import Celery

            Celery(broker="memory://", backend="cache+memory://").set_default()
        recipe = load("celery_task")
        recipe.WAIT_S = 0.05
        done = recipe.run_on_lyceum.apply(args=[self.request("delay=1s")], task_id=f"{self.name} 1")
        self.assertTrue(done.successful())
        self.assertEqual([row["status"] for row in done.get()], ["succeeded"])
        self.assertEqual(self.job_count(), 1)
        failed = recipe.run_on_lyceum.apply(args=[self.request("exit=1")], task_id=f"{self.name} 2")
        self.assertFalse(failed.successful())
        self.assertIsInstance(failed.result, recipe.JobFailed)
        refused = recipe.run_on_lyceum.apply(args=[{"runs": []}], task_id=f"{self.name} 3")
        self.assertEqual(refused.result.code, "validation-failed")

    def test_an_rq_function_shows_progress_and_a_second_worker_finds_the_job(self) -> None:
        imitations.rq()
        recipe = load("rq_task")
        task = mock.Mock(id=self.name, meta={})
        with mock.patch.object(recipe, "get_current_job", return_value=task):
            for _ in range(2):
                self.assertEqual([row["status"] for row in recipe.run_on_lyceum(self.request())], ["succeeded"])
            self.assertEqual(task.meta["progress"], 1)
            self.assertTrue(task.save_meta.called)
            self.assertEqual(self.job_count(), 1)
            task.id = f"{self.name} 2"
            with self.assertRaises(recipe.JobFailed):
                recipe.run_on_lyceum(self.request("exit=1"))

    def test_a_dramatiq_actor_waits_in_turns_and_begins_one_job(self) -> None:
        imitations.dramatiq()
        recipe = load("dramatiq_actor")
        recipe.WAIT_S = 0.05
        message = types.SimpleNamespace(message_id=self.name, retries=0)
        rows = recipe.run_on_lyceum.perform(message, self.request("delay=1s"))
        self.assertEqual([row["status"] for row in rows], ["succeeded"])
        self.assertGreater(message.retries, 0)
        self.assertEqual(self.job_count(), 1)
        other = types.SimpleNamespace(message_id=f"{self.name} 2", retries=0)
        with self.assertRaises(recipe.JobFailed):
            recipe.run_on_lyceum.perform(other, self.request("exit=1"))
        # An error that postpones the message must not be among the errors that give it up.
        options = recipe.run_on_lyceum.options
        self.assertFalse(issubclass(imitations.DramatiqRetry, options["throws"]))

    def test_an_airflow_operator_waits_in_the_triggerer_and_a_new_try_takes_up_what_lives(self) -> None:
        imitations.airflow()
        recipe = load("airflow_operator")

        def defer(operator: Any, run_id: str) -> Any:
            task = types.SimpleNamespace(dag_id="dag", task_id="task", run_id=run_id, map_index=-1)
            with self.assertRaises(imitations.TaskDeferred) as caught:
                operator.execute({"ti": task})
            return caught.exception

        async def first_event(trigger: Any) -> Any:
            # As the triggerer does, in a process of its own: by class path and arguments.
            path, arguments = trigger.serialize()
            module, name = path.rsplit(".", 1)
            events = getattr(importlib.import_module(module), name)(**arguments).run()
            async for event in events:
                await events.aclose()
                return event.payload

        def finish(operator: Any, deferred: Any) -> Any:
            payload = asyncio.run(first_event(deferred.trigger))
            return getattr(operator, deferred.method_name)({}, payload)

        slow = recipe.ProctorOperator(task_id="task", request=self.request("delay=1s"))
        deferred, again = (defer(slow, f"{self.name} 1") for _ in range(2))
        self.assertEqual(again.trigger.job_id, deferred.trigger.job_id)
        self.assertEqual(finish(slow, deferred), deferred.trigger.job_id)
        self.assertEqual(self.job_count(), 1)

        failing = recipe.ProctorOperator(task_id="task", request=self.request("exit=1"))
        tries = []
        for _ in range(3):
            deferred = defer(failing, f"{self.name} 2")
            tries.append(deferred.trigger.job_id)
            with self.assertRaisesRegex(Exception, f"{deferred.trigger.job_id} failed"):
                finish(failing, deferred)
        self.assertEqual(len(set(tries)), 3)
