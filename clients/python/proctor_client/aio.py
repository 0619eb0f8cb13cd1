"""The client for asyncio. Cancelling a task, or closing an iterator, closes its connection at once."""

from __future__ import annotations

import ssl
import uuid
from datetime import datetime
from typing import Any, AsyncGenerator, Callable, Iterable, Literal

from . import _paths as paths
from . import _streams
from ._artifact_calls import AsyncArtifactCalls
from ._endpoint import endpoint_of
from ._transport import Call, RetryOptions, Transport
from ._wait import wait_for_end
from ._webhooks import AsyncWebhooks
from ._wire import AsyncioWire, Wire
from .answers import Event, Execution, Job, ResultRow, Run
from .artifacts import Callback, MachineTypes, Status, Usage
from .errors import ProctorError
from .requests import JobRequest

Strings = Iterable[str]


class AsyncClient(AsyncArtifactCalls):
    """A client of one service with one API key. It holds no connection, so that it needs no closing.

    Every method raises ProctorError; `Client` says what the methods do. Times are seconds.
    """

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        retry: RetryOptions = RetryOptions(),
        answer_within: float = 30.0,
        max_answer_bytes: int = 256 << 20,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        endpoint = endpoint_of(url, api_key)
        tls = (ssl_context or ssl.create_default_context()) if endpoint.tls else None
        self._transport = Transport(self._wire(), endpoint, tls, retry, answer_within, max_answer_bytes)
        self.webhooks = AsyncWebhooks(self._transport)

    def _wire(self) -> Wire:
        return AsyncioWire()

    async def submit(self, request: JobRequest, *, idempotency_key: str | None = None) -> Job:
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        return await self._json(Call("/v1/jobs", "POST", body=request, headers=headers))

    async def job(self, job_id: str) -> Job:
        return await self._json(Call(paths.job(job_id)))

    def jobs(
        self,
        *,
        status: str | Strings | None = None,
        name: str | None = None,
        key: str | None = None,
        created_after: str | datetime | None = None,
        created_before: str | datetime | None = None,
    ) -> AsyncGenerator[Job, None]:
        filters = {"status": status, "name": name, "key": key}
        times = {"created_after": created_after, "created_before": created_before}
        return self._transport.pages(Call("/v1/jobs", query={**filters, **times}))

    async def wait(
        self,
        job_id: str,
        *,
        for_: Literal["end", "outcome"] = "end",
        timeout: float | None = None,
        on_update: Callable[[Job], object] | None = None,
        update_every: float | None = None,
    ) -> Job:
        def is_decided(job: Job) -> bool:
            return job["counts"]["queued"] + job["counts"]["active"] == 0

        return await wait_for_end(
            self._transport, paths.job(job_id), is_decided, for_, timeout, on_update, update_every
        )

    async def wait_run(
        self,
        run_id: str,
        *,
        for_: Literal["end", "outcome"] = "end",
        timeout: float | None = None,
        on_update: Callable[[Run], object] | None = None,
        update_every: float | None = None,
    ) -> Run:
        def is_decided(run: Run) -> bool:
            return run["outcome"] is not None

        return await wait_for_end(
            self._transport, paths.run(run_id), is_decided, for_, timeout, on_update, update_every
        )

    def events(
        self, job_id: str, *, last_event_id: int | str | None = None, types: Strings | None = None
    ) -> AsyncGenerator[Event, None]:
        path = "/v1/events" if job_id == "all" else f"{paths.job(job_id)}/events"
        return _streams.stream_events(self._transport, path, last_event_id, types)

    async def cancel(self, job_id: str, *, mode: Literal["abort", "stop"] = "abort") -> Job:
        return await self._json(Call(f"{paths.job(job_id)}/cancel", "POST", body={"mode": mode}))

    async def delete(self, job_id: str, *, remote: bool = False) -> None:
        try:
            await self._transport.none(Call(paths.job(job_id), "DELETE", query={"remote": remote}))
        except ProctorError as error:
            # The answer to an earlier attempt was lost: it had gone well.
            if not (error.status == 404 and error.attempts > 1):
                raise

    def results(self, job_id: str) -> AsyncGenerator[ResultRow, None]:
        return self._transport.pages(Call(f"{paths.job(job_id)}/results"))

    async def results_csv(self, job_id: str) -> str:
        return await self._transport.text(Call(f"{paths.job(job_id)}/results", headers={"Accept": "text/csv"}))

    def runs(
        self,
        job_id: str | None = None,
        *,
        status: str | Strings | None = None,
        outcome: str | None = None,
        name: str | None = None,
        kind: str | None = None,
        hardware: str | None = None,
        error_code: str | None = None,
        reason: str | None = None,
        created_after: str | datetime | None = None,
        created_before: str | datetime | None = None,
        sort: str | None = None,
    ) -> AsyncGenerator[Run, None]:
        path = "/v1/runs" if job_id is None else f"{paths.job(job_id)}/runs"
        filters = {"status": status, "outcome": outcome, "name": name, "kind": kind, "hardware": hardware}
        ends = {"error_code": error_code, "reason": reason, "sort": sort}
        times = {"created_after": created_after, "created_before": created_before}
        return self._transport.pages(Call(path, query={**filters, **ends, **times}))

    async def run(self, run_id: str) -> Run:
        return await self._json(Call(paths.run(run_id)))

    async def cancel_run(self, run_id: str, *, mode: Literal["abort", "stop"] = "abort") -> Run:
        return await self._json(Call(f"{paths.run(run_id)}/cancel", "POST", body={"mode": mode}))

    async def retry(self, run_id: str) -> Run:
        return await self._json(Call(f"{paths.run(run_id)}/retry", "POST", repeatable=False))

    async def execution(self, execution_id: str) -> Execution:
        return await self._json(Call(paths.execution(execution_id)))

    def callbacks(self, execution_id: str) -> AsyncGenerator[Callback, None]:
        return self._transport.pages(Call(f"{paths.execution(execution_id)}/callbacks"))

    async def status(self) -> Status:
        return await self._json(Call("/v1/status"))

    async def machine_types(self) -> MachineTypes:
        return await self._json(Call("/v1/machine-types"))

    async def usage(
        self,
        *,
        from_: str | None = None,
        to: str | None = None,
        group: Literal["day", "key", "hardware"] | None = None,
        key: str | None = None,
    ) -> Usage:
        return await self._json(Call("/v1/usage", query={"from": from_, "to": to, "group": group, "key": key}))

    async def _json(self, call: Call) -> Any:
        return await self._transport.json(call)
