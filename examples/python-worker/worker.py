"""A worker without a framework: tasks come as JSON lines, `{"id": "…", "job": {"runs": […]}}`, and leave with results."""
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from proctor_client import Client

proctor = Client()  # PROCTOR_URL and PROCTOR_API_KEY

def perform(line):
    task = json.loads(line)
    # The task's own id: the same task after a crash is the same job, and costs nothing twice.
    job = proctor.wait(proctor.submit(task["job"], idempotency_key=task["id"])["id"])
    return {"id": task["id"], "status": job["status"], "results": list(proctor.results(job["id"]))}

for done in ThreadPoolExecutor(50).map(perform, sys.stdin):
    print(json.dumps(done), flush=True)
