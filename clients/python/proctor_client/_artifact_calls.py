"""The calls that read what was fetched of a run, in both clients."""

from __future__ import annotations

from typing import AsyncGenerator, Generator

from . import _paths as paths
from . import _streams
from ._transport import Call, Transport, or_none
from ._wire import iterate, run
from .artifacts import Artifacts, LogEntry, Logs, Metrics, Output, Timing


class AsyncArtifactCalls:
    _transport: Transport

    async def output(self, run_id: str) -> Output:
        return await self._transport.json(Call(f"{paths.run(run_id)}/output"))

    async def timing(self, run_id: str) -> Timing:
        return await self._transport.json(Call(f"{paths.run(run_id)}/timing"))

    async def metrics(
        self,
        run_id: str,
        *,
        attempt: int | None = None,
        step: str | None = None,
        start: str | None = None,
        end: str | None = None,
    ) -> Metrics:
        query = {"attempt": attempt, "step": step, "start": start, "end": end}
        return await self._transport.json(Call(f"{paths.run(run_id)}/metrics", query=query, wait=60.0))

    async def logs(self, run_id: str) -> Logs:
        return await self._transport.request(Call(f"{paths.run(run_id)}/logs"), self._transport.read_logs)

    async def logs_text(self, run_id: str) -> str:
        return await self._transport.text(Call(f"{paths.run(run_id)}/logs", headers={"Accept": "text/plain"}))

    def follow_logs(self, run_id: str) -> AsyncGenerator[LogEntry, None]:
        return _streams.follow_logs(self._transport, f"{paths.run(run_id)}/logs", paths.run(run_id))

    async def artifacts(self, run_id: str) -> Artifacts:
        return {
            "output": await or_none(self.output(run_id)),
            "logs": await or_none(self.logs(run_id)),
            "metrics": await or_none(self.metrics(run_id)),
            "timing": await or_none(self.timing(run_id)),
        }


class ArtifactCalls:
    _calls: AsyncArtifactCalls

    def output(self, run_id: str) -> Output:
        return run(self._calls.output(run_id))

    def timing(self, run_id: str) -> Timing:
        return run(self._calls.timing(run_id))

    def metrics(
        self,
        run_id: str,
        *,
        attempt: int | None = None,
        step: str | None = None,
        start: str | None = None,
        end: str | None = None,
    ) -> Metrics:
        """Returns what was stored after the end; in another step or span, what Lyceum says now."""
        return run(self._calls.metrics(run_id, attempt=attempt, step=step, start=start, end=end))

    def logs(self, run_id: str) -> Logs:
        return run(self._calls.logs(run_id))

    def logs_text(self, run_id: str) -> str:
        return run(self._calls.logs_text(run_id))

    def follow_logs(self, run_id: str) -> Generator[LogEntry, None, None]:
        """Yields a run's log entries from the first one on, as they come; ends with the run."""
        return iterate(self._calls.follow_logs(run_id))

    def artifacts(self, run_id: str) -> Artifacts:
        """Returns everything that was fetched of the run, in one go."""
        return run(self._calls.artifacts(run_id))
