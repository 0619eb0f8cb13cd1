"""The client for Proctor, which runs jobs on Lyceum Cloud for your queue workers. It needs the standard library alone."""

from ._transport import RetryOptions
from ._version import VERSION as __version__
from .aio import AsyncClient
from .answers import Event, Execution, Job, ResultRow, Run, WebhookPayload
from .artifacts import (
    Artifacts,
    Callback,
    Delivery,
    LogEntry,
    Logs,
    MachineTypes,
    Metrics,
    Output,
    Status,
    Timing,
    Usage,
    Webhook,
    WebhookWithSecret,
)
from .client import Client
from .errors import ProctorError, WebhookVerificationError
from .requests import JobRequest, RunRequest
from .webhook import verify_webhook

__all__ = [
    "Artifacts",
    "AsyncClient",
    "Callback",
    "Client",
    "Delivery",
    "Event",
    "Execution",
    "Job",
    "JobRequest",
    "LogEntry",
    "Logs",
    "MachineTypes",
    "Metrics",
    "Output",
    "ProctorError",
    "ResultRow",
    "RetryOptions",
    "Run",
    "RunRequest",
    "Status",
    "Timing",
    "Usage",
    "Webhook",
    "WebhookPayload",
    "WebhookVerificationError",
    "WebhookWithSecret",
    "__version__",
    "verify_webhook",
]
