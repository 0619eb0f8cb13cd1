"""A Dramatiq actor that has its work done at Lyceum. Dramatiq's message id is the idempotency key.

It asks for the message with the middleware CurrentMessage: `broker.add_middleware(CurrentMessage())`.
"""

import dramatiq
from dramatiq.middleware import CurrentMessage
from proctor_client import Client, ProctorError

WAIT_S = 60
"""Seconds for which a worker's thread is held before other messages get their turn."""


class JobFailed(Exception):
    """The job ended otherwise than well; by the same key it would be the same failed job."""


# An error named in `throws` is not tried again; a message that waits is tried as often as it takes.
@dramatiq.actor(max_retries=None, throws=(JobFailed, ProctorError))
def run_on_lyceum(request):
    message = CurrentMessage.get_current_message()
    proctor = Client()
    try:
        job = proctor.submit(request, idempotency_key=f"dramatiq:{message.message_id}")
        job = proctor.wait(job["id"], timeout=WAIT_S)
    except ProctorError as error:
        if error.code == "timeout" or error.is_transient:
            raise dramatiq.Retry(str(error), delay=int(1_000 * (error.retry_after or 1)))
        raise
    if job["status"] != "succeeded":
        raise JobFailed(f"{job['id']} {job['status']}")
    return list(proctor.results(job["id"]))
