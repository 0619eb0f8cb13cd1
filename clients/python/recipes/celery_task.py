"""A Celery task that has its work done at Lyceum. Celery's task id is the idempotency key."""

from celery import shared_task
from proctor_client import Client, ProctorError

WAIT_S = 60
"""Seconds for which a worker's slot is held before other tasks get their turn."""


class JobFailed(Exception):
    """The job ended otherwise than well; by the same key it would be the same failed job."""


# Late acknowledgement: a task whose worker dies is delivered again, finds its job by its key and waits on.
@shared_task(bind=True, acks_late=True, reject_on_worker_lost=True, max_retries=None)
def run_on_lyceum(self, request):
    proctor = Client()
    try:
        job = proctor.submit(request, idempotency_key=f"celery:{self.request.id}")
        job = proctor.wait(job["id"], timeout=WAIT_S)
    except ProctorError as error:
        if error.code == "timeout" or error.is_transient:
            raise self.retry(exc=error, countdown=error.retry_after or 1)
        raise
    if job["status"] != "succeeded":
        raise JobFailed(f"{job['id']} {job['status']}")
    return list(proctor.results(job["id"]))
