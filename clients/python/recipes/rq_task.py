"""An RQ function that has its work done at Lyceum. RQ's job id is the idempotency key.

    queue.enqueue(run_on_lyceum, request, job_timeout="24h", retry=Retry(max=3, interval=60))

A retry, or a job that is requeued after its worker has died, finds its job at Proctor and waits on.
"""

from proctor_client import Client
from rq import get_current_job


class JobFailed(Exception):
    """The job ended otherwise than well; by the same key it would be the same failed job."""


def run_on_lyceum(request):
    task = get_current_job()
    proctor = Client()

    def show_progress(job):
        task.meta.update(proctor_job_id=job["id"], progress=job["progress"])
        task.save_meta()

    job = proctor.submit(request, idempotency_key=f"rq:{task.id}")
    job = proctor.wait(job["id"], on_update=show_progress)
    if job["status"] != "succeeded":
        raise JobFailed(f"{job['id']} {job['status']}")
    return list(proctor.results(job["id"]))
