"""A deferrable Airflow operator: no worker's slot is held while the job runs, the triggerer waits for it.

PROCTOR_URL and PROCTOR_API_KEY are read from the environment of worker and triggerer: a trigger's arguments are kept in
Airflow's database, and no place for a key.
"""

import asyncio
import hashlib

from airflow.exceptions import AirflowException
from airflow.triggers.base import BaseTrigger, TriggerEvent
from proctor_client import AsyncClient, Client, ProctorError

try:
    from airflow.sdk import BaseOperator
except ImportError:  # Airflow 2
    from airflow.models import BaseOperator

AWAY_S = 60
"""The pause before a service that has been away for long is asked again."""


class ProctorTrigger(BaseTrigger):
    def __init__(self, job_id):
        super().__init__()
        self.job_id = job_id

    def serialize(self):
        return f"{__name__}.ProctorTrigger", {"job_id": self.job_id}

    async def run(self):
        while True:
            try:
                job = await AsyncClient().wait(self.job_id)
                break
            except ProctorError as error:
                if not error.is_transient:
                    raise
            await asyncio.sleep(AWAY_S)
        yield TriggerEvent({"job_id": job["id"], "status": job["status"]})


class ProctorOperator(BaseOperator):
    """Submits the job and gives its id to the tasks that follow."""

    template_fields = ("request",)

    def __init__(self, *, request, **kwargs):
        super().__init__(**kwargs)
        self.request = request

    def execute(self, context):
        job = self._submit(context["ti"])
        self.defer(trigger=ProctorTrigger(job["id"]), method_name="execute_complete")

    def execute_complete(self, context, event):
        if event["status"] != "succeeded":
            raise AirflowException(f"{event['job_id']} {event['status']}")
        return event["job_id"]

    def _submit(self, task):
        """A try finds the living job of the try before; a job that failed is followed by a new one."""
        name = "\n".join([task.dag_id, task.task_id, task.run_id, str(task.map_index)])
        first = key = f"airflow:{hashlib.sha256(name.encode()).hexdigest()}"
        while True:
            job = Client().submit(self.request, idempotency_key=key)
            if job["status"] not in ("failed", "cancelled"):
                return job
            key = f"{first}:{job['id']}"
