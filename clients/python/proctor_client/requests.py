"""The body of a submission, as the service's contract has it. Runs carry Lyceum's own field names."""

from __future__ import annotations

from typing import Any, Dict, List, Literal, Optional, TypedDict, Union


class Retry(TypedDict, total=False):
    max_attempts: int
    on: List[str]
    """Which ends of an execution are worth another one: `system_failure`, `failed`, `timeout`, `lost`, or a reason
    found for a failure, such as `out_of_memory`."""


class _RunCommon(TypedDict, total=False):
    name: Optional[str]
    timeout: int
    """Seconds, 1 to 600."""
    extra: Optional[Dict[str, Any]]
    """Passed through to Lyceum as it is."""
    retry: Optional[Retry]
    """In place of the job's, for this run."""
    on_lost: Optional[Literal["fail", "retry"]]


class _Registry(TypedDict, total=False):
    docker_registry_credential_type: Optional[Literal["aws", "basic"]]
    docker_username: Optional[str]
    docker_password: Optional[str]
    aws_access_key_id: Optional[str]
    aws_secret_access_key: Optional[str]
    aws_session_token: Optional[str]
    aws_region: Optional[str]


class _CodeFields(_RunCommon, total=False):
    nbcode: Optional[int]
    requirements_content: Optional[str]
    prior_imports: Optional[List[str]]
    kernel_state: Optional[str]
    import_files: Optional[str]
    files: Optional[Dict[str, str]]
    """Relative path to text."""
    env: Optional[Dict[str, str]]
    matrix: Optional[Dict[str, List[str]]]
    """One run per combination, each with these values in its env."""


class _PythonRun(TypedDict):
    kind: Literal["python"]
    code: str


class PythonRun(_PythonRun, _CodeFields, total=False):
    execution_type: str
    """Lyceum's hardware profile, such as `cpu` (default) or `gpu.a100`."""


class _GpuSelectionRun(TypedDict):
    kind: Literal["gpu_selection"]
    code: str


class GpuSelectionRun(_GpuSelectionRun, _CodeFields, total=False):
    pass


class _ImageRun(TypedDict):
    kind: Literal["image"]
    docker_image_ref: str


class ImageRun(_ImageRun, _RunCommon, _Registry, total=False):
    docker_run_cmd: List[str]
    docker_run_env: Optional[str]
    env: Optional[Dict[str, str]]
    matrix: Optional[Dict[str, List[str]]]
    execution_type: str
    job_type: Optional[str]
    enable_s3_mount: bool
    graceful_timeout: Optional[int]


class _ComposeRun(TypedDict):
    kind: Literal["compose"]
    compose_file_code: str


class ComposeRun(_ComposeRun, _RunCommon, _Registry, total=False):
    execution_type: str
    enable_s3_mount: bool
    graceful_timeout: Optional[int]


RunRequest = Union[PythonRun, ImageRun, ComposeRun, GpuSelectionRun]


class _JobRequest(TypedDict):
    runs: List[RunRequest]


class JobRequest(_JobRequest, total=False):
    name: Optional[str]
    max_parallel: Optional[int]
    """Runs of this job alive at once."""
    priority: int
    """Higher starts first."""
    on_run_failure: Literal["continue", "cancel_rest"]
    retry: Retry
    deadline_s: Optional[float]
    """Seconds from the submission."""
    budget: Optional[float]
    """Credits, from which on nothing more of the job starts."""
    on_lost: Literal["fail", "retry"]
    webhook_url: Optional[str]
    """Gets the job's end, signed with the service's WEBHOOK_SECRET."""
    metadata: Any
    """Any JSON; given back as it is."""
