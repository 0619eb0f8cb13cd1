"""Paths of the service. An id cannot lead to another path."""

from __future__ import annotations

from urllib.parse import quote


def job(job_id: str) -> str:
    return f"/v1/jobs/{quoted(job_id)}"


def run(run_id: str) -> str:
    return f"/v1/runs/{quoted(run_id)}"


def execution(execution_id: str) -> str:
    return f"/v1/executions/{quoted(execution_id)}"


def webhook(webhook_id: str) -> str:
    return f"/v1/webhooks/{quoted(webhook_id)}"


def quoted(part: str) -> str:
    return quote(part, safe="")
