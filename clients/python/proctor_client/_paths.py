"""Paths of the service. An id cannot lead to another path."""

from __future__ import annotations

from urllib.parse import quote


def job(job_id: str) -> str:
    return f"/v1/jobs/{quote(job_id, safe='')}"


def run(run_id: str) -> str:
    return f"/v1/runs/{quote(run_id, safe='')}"


def execution(execution_id: str) -> str:
    return f"/v1/executions/{quote(execution_id, safe='')}"


def webhook(webhook_id: str) -> str:
    return f"/v1/webhooks/{quote(webhook_id, safe='')}"
