"""Answers about jobs, runs, executions and events, as they stand in the JSON. Times are ISO 8601 in UTC.

Answers are plain dictionaries: fields that a newer service adds are in them, too.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional, TypedDict

JsonObject = Dict[str, Any]


class Cost(TypedDict):
    """Credits."""

    total: float
    billed: float
    estimated: float
    unpriced: int
    """Ended executions of which nobody knows the cost."""


class Cancellation(TypedDict):
    mode: str
    cause: str


class Budget(TypedDict):
    limit: float
    spent: float
    reached: bool


class _JobCore(TypedDict):
    id: str
    name: Optional[str]
    status: str
    """`queued`, `active`, `succeeded`, `failed` or `cancelled`."""
    counts: Dict[str, int]
    """Runs by status."""
    progress: float
    """Share of the runs that have ended, 0 to 1."""
    priority: int
    max_parallel: Optional[int]
    on_run_failure: str
    on_lost: str
    retry: JsonObject
    metadata: Any
    webhook_url: Optional[str]
    cancellation: Optional[Cancellation]
    cost: Cost
    budget: Optional[Budget]
    deadline_at: Optional[str]
    created_at: Optional[str]
    started_at: Optional[str]
    ended_at: Optional[str]
    """Not None exactly when the job is terminal."""
    deletion_requested_at: Optional[str]


class Queue(TypedDict):
    position: int
    estimated_start_at: Optional[str]


class Job(_JobCore, total=False):
    queue: Optional[Queue]
    """The position of a queued job; only in the answer for a single job."""


class Execution(TypedDict):
    id: str
    run_id: str
    job_id: str
    attempt: int
    status: str
    raw_status: Optional[str]
    in_doubt: bool
    lyceum_execution_id: Optional[str]
    detected_by: Optional[str]
    return_code: Optional[int]
    duration_ms: Optional[int]
    cost: Optional[float]
    cost_source: Optional[str]
    hardware: Optional[str]
    error: Optional[str]
    submitted_at: str
    accepted_at: Optional[str]
    started_at: Optional[str]
    ended_at: Optional[str]
    detected_at: Optional[str]
    next_check_at: Optional[str]


class Artifact(TypedDict):
    state: str
    reason: Optional[str]
    fetched_at: Optional[str]


class Run(TypedDict):
    id: str
    job_id: str
    position: int
    name: Optional[str]
    kind: str
    status: str
    """A job's words, and `collecting`: the outcome is known, artifacts may follow."""
    outcome: Optional[str]
    """None while the run is queued or active. Never changes afterwards."""
    attempts: int
    execution_type: Optional[str]
    timeout: int
    matrix: Optional[Dict[str, str]]
    retry_of: Optional[str]
    cancellation: Optional[Cancellation]
    error: Optional[JsonObject]
    created_at: Optional[str]
    started_at: Optional[str]
    ended_at: Optional[str]
    not_before: Optional[str]
    lyceum_execution_id: Optional[str]
    detected_by: Optional[str]
    return_code: Optional[int]
    duration_ms: Optional[int]
    cost: Optional[float]
    cost_source: Optional[str]
    hardware: Optional[str]
    gpu: Optional[JsonObject]
    findings: List[JsonObject]
    gpu_selection: Optional[List[JsonObject]]
    artifacts: Dict[str, Artifact]
    """By kind: record, timing, logs, metrics."""
    executions: List[Execution]


class ResultRow(TypedDict):
    run_id: str
    position: int
    name: Optional[str]
    matrix: Optional[Dict[str, str]]
    status: str
    attempts: int
    return_code: Optional[int]
    duration_ms: Optional[int]
    cost: Optional[float]
    cost_source: Optional[str]
    hardware: Optional[str]
    gpu_utilization_percent: Optional[float]
    gpu_idle_share: Optional[float]
    energy_wh: Optional[float]
    error_code: Optional[str]
    error_reason: Optional[str]
    retry_of: Optional[str]
    outcome: Optional[str]


class _EventCore(TypedDict):
    id: str
    seq: int
    type: str
    created_at: str
    job_id: str
    data: JsonObject


class Event(_EventCore, total=False):
    """An immutable, numbered fact about a job, a run or an execution."""

    run_id: str
    execution_id: str


class WebhookPayload(TypedDict):
    """The body of a delivery."""

    type: str
    timestamp: str
    data: JsonObject
    """The event's own data, with `event_id`, `seq`, `job_id` and, where it has them, `run_id` and `execution_id`."""
