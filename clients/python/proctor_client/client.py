"""The blocking client. Threads may share one: it holds no connection."""

from __future__ import annotations

import ssl
from datetime import datetime
from typing import Callable, Generator, Iterable, Iterator, Literal

from ._artifact_calls import ArtifactCalls
from ._transport import RetryOptions
from ._webhooks import Webhooks
from ._wire import BlockingWire, Wire, iterate, run
from .aio import AsyncClient
from .answers import Event, Execution, Job, ResultRow, Run
from .artifacts import Callback, MachineTypes, Status, Usage
from .requests import JobRequest

Strings = Iterable[str]


class _Blocking(AsyncClient):
    def _wire(self) -> Wire:
        return BlockingWire()


class Client(ArtifactCalls):
    """A client of one service with one API key; PROCTOR_URL and PROCTOR_API_KEY of the environment by default.

    Every method raises ProctorError. Times are seconds. `ssl_context` is for a private certificate authority.
    """

    _calls: _Blocking

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
        self._calls = _Blocking(
            url,
            api_key,
            retry=retry,
            answer_within=answer_within,
            max_answer_bytes=max_answer_bytes,
            ssl_context=ssl_context,
        )
        self.webhooks = Webhooks(self._calls.webhooks)

    def submit(self, request: JobRequest, *, idempotency_key: str | None = None) -> Job:
        """Hands in a job. Repeated safely: a key is made up when none is given.

        With a key of your own (your queue's job id), whoever hands it in again gets the same job.
        """
        return run(self._calls.submit(request, idempotency_key=idempotency_key))

    def job(self, job_id: str) -> Job:
        return run(self._calls.job(job_id))

    def jobs(
        self,
        *,
        status: str | Strings | None = None,
        name: str | None = None,
        key: str | None = None,
        created_after: str | datetime | None = None,
        created_before: str | datetime | None = None,
    ) -> Iterator[Job]:
        """Yields jobs, newest first, read page by page. A naive datetime is local time."""
        times = {"created_after": created_after, "created_before": created_before}
        return iterate(self._calls.jobs(status=status, name=name, key=key, **times))

    def wait(
        self,
        job_id: str,
        *,
        for_: Literal["end", "outcome"] = "end",
        timeout: float | None = None,
        on_update: Callable[[Job], object] | None = None,
        update_every: float | None = None,
    ) -> Job:
        """Returns the job once it is terminal, or once every run of it has an outcome (`for_="outcome"`).

        After `timeout` a ProctorError of code `timeout` is raised; the job goes on. `on_update` is called with each
        answer, the last one included, at least every `update_every` (60, or 5 with `on_update`).
        """
        return run(
            self._calls.wait(job_id, for_=for_, timeout=timeout, on_update=on_update, update_every=update_every)
        )

    def wait_run(
        self,
        run_id: str,
        *,
        for_: Literal["end", "outcome"] = "end",
        timeout: float | None = None,
        on_update: Callable[[Run], object] | None = None,
        update_every: float | None = None,
    ) -> Run:
        """Returns the run once it is terminal, or has its outcome: of use after `retry`, in a job that has ended."""
        return run(
            self._calls.wait_run(run_id, for_=for_, timeout=timeout, on_update=on_update, update_every=update_every)
        )

    def events(
        self, job_id: str, *, last_event_id: int | str | None = None, types: Strings | None = None
    ) -> Generator[Event, None, None]:
        """Yields a job's events as they happen, or with `"all"` those of all jobs that the key may see.

        `last_event_id` is the `seq` of the last event that is known already; without it, a job's events begin with the
        first, all jobs' with now. `types` are such as `job.*` or `run.failed`. A job's stream ends with the job.
        """
        return iterate(self._calls.events(job_id, last_event_id=last_event_id, types=types))

    def cancel(self, job_id: str, *, mode: Literal["abort", "stop"] = "abort") -> Job:
        """Cancels the job with everything that is alive of it: `abort` kills, `stop` ends gracefully. Idempotent."""
        return run(self._calls.cancel(job_id, mode=mode))

    def delete(self, job_id: str, *, remote: bool = False) -> None:
        """Deletes a terminal job. `remote`: the records at Lyceum go first, and the job with the last of them."""
        run(self._calls.delete(job_id, remote=remote))

    def results(self, job_id: str) -> Iterator[ResultRow]:
        """Yields a row per run."""
        return iterate(self._calls.results(job_id))

    def results_csv(self, job_id: str) -> str:
        return run(self._calls.results_csv(job_id))

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
    ) -> Iterator[Run]:
        """Yields the runs of a job, or those of all jobs that the key may see, read page by page."""
        return iterate(
            self._calls.runs(
                job_id,
                status=status,
                outcome=outcome,
                name=name,
                kind=kind,
                hardware=hardware,
                error_code=error_code,
                reason=reason,
                created_after=created_after,
                created_before=created_before,
                sort=sort,
            )
        )

    def run(self, run_id: str) -> Run:
        return run(self._calls.run(run_id))

    def cancel_run(self, run_id: str, *, mode: Literal["abort", "stop"] = "abort") -> Run:
        return run(self._calls.cancel_run(run_id, mode=mode))

    def retry(self, run_id: str) -> Run:
        """Makes a new run in the same job. Sent once: each request makes another one."""
        return run(self._calls.retry(run_id))

    def execution(self, execution_id: str) -> Execution:
        return run(self._calls.execution(execution_id))

    def callbacks(self, execution_id: str) -> Iterator[Callback]:
        return iterate(self._calls.callbacks(execution_id))

    def status(self) -> Status:
        return run(self._calls.status())

    def machine_types(self) -> MachineTypes:
        return run(self._calls.machine_types())

    def usage(
        self,
        *,
        from_: str | None = None,
        to: str | None = None,
        group: Literal["day", "key", "hardware"] | None = None,
        key: str | None = None,
    ) -> Usage:
        """Returns what was spent, by day, key or hardware. Days such as 2026-01-31; without them, the last 30."""
        return run(self._calls.usage(from_=from_, to=to, group=group, key=key))
