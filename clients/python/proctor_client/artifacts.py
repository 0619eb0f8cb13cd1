"""Artifacts fetched after the end of a run, and the service's answers about itself."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, TypedDict

from .answers import Cost, JsonObject


class Output(TypedDict):
    run_id: str
    execution_id: str
    stdout: str
    stderr: str
    return_code: Optional[int]
    result: Any
    """As it came; whole numbers of any size."""
    errors: Optional[str]
    warnings: Optional[str]
    install_log: Optional[str]
    install_return_code: Optional[int]
    status_details: Optional[str]


class Timing(TypedDict):
    run_id: str
    execution_id: str
    timing: JsonObject
    """Lyceum's own document."""


class MetricsSummary(TypedDict):
    series: Dict[str, Optional[JsonObject]]
    energy_wh: Optional[float]
    gpu_idle_share: Optional[float]


class Metrics(TypedDict):
    run_id: str
    execution_id: str
    summary: MetricsSummary
    document: JsonObject
    """Lyceum's own, sample by sample."""


class _LogEntryCore(TypedDict):
    timestamp: Optional[str]
    """ISO 8601 in UTC, to the millisecond; None where Lyceum's text is no time."""
    message: str
    level: Optional[str]
    hostname: Optional[str]
    labels: Dict[str, str]


class LogEntry(_LogEntryCore, total=False):
    raw_timestamp: str
    """Lyceum's text where it differs."""


class Logs(TypedDict):
    entries: List[LogEntry]
    complete: bool
    """The record proves that nothing is missing, or, where it cannot tell, the log had stopped growing."""
    truncated: bool
    """Lyceum has more than it gives."""


class Artifacts(TypedDict):
    """All that was fetched of a run; None for what could not be had."""

    output: Optional[Output]
    logs: Optional[Logs]
    metrics: Optional[Metrics]
    timing: Optional[Timing]


class Callback(TypedDict):
    id: str
    execution_id: str
    received_at: Optional[str]
    disposition: str
    content_type: Optional[str]
    content_encoding: Optional[str]
    body: Optional[str]
    """None: it may hold secrets, and is shown to others alone."""
    body_encoding: Optional[str]
    decoded_from: Optional[str]
    note: Optional[str]
    truncated: bool


class Status(TypedDict):
    version: str
    accepting: bool
    queue: JsonObject
    callbacks: JsonObject
    lyceum: JsonObject
    database: JsonObject


class MachineTypes(TypedDict):
    data: List[JsonObject]
    fetched_at: Optional[str]


class Used(TypedDict):
    executions: int
    duration_ms: int
    cost: Cost


# "from" is a word of Python's own.
Usage = TypedDict("Usage", {"from": str, "to": str, "data": List[JsonObject], "total": Used})


class Webhook(TypedDict):
    id: str
    url: str
    types: List[str]
    api_key: str
    scope: str
    status: str
    created_at: Optional[str]
    failing_since: Optional[str]
    disabled_at: Optional[str]
    disabled_reason: Optional[str]


class WebhookWithSecret(Webhook):
    """Shown at creation and rotation, and never again."""

    secret: str


class Delivery(TypedDict):
    id: str
    webhook_id: Optional[str]
    job_id: Optional[str]
    event_id: Optional[str]
    type: str
    url: str
    state: str
    reason: Optional[str]
    attempts: int
    next_attempt_at: Optional[str]
    created_at: Optional[str]
    ended_at: Optional[str]
    log: List[JsonObject]
