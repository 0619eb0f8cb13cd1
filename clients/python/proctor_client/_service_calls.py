"""The calls about executions and the service itself, in both clients."""

from __future__ import annotations

from datetime import datetime
from typing import Any, AsyncGenerator, Dict, Iterator, Literal

from . import _paths as paths
from ._transport import Call, Transport
from ._wire import iterate, run
from .answers import Execution
from .artifacts import Callback, MachineTypes, Status, Usage


class AsyncServiceCalls:
    _transport: Transport

    async def execution(self, execution_id: str) -> Execution:
        return await self._transport.json(Call(paths.execution(execution_id)))

    def callbacks(self, execution_id: str) -> AsyncGenerator[Callback, None]:
        return self._transport.pages(Call(f"{paths.execution(execution_id)}/callbacks"))

    async def status(self) -> Status:
        return await self._transport.json(Call("/v1/status"))

    async def machine_types(self) -> MachineTypes:
        return await self._transport.json(Call("/v1/machine-types"))

    async def usage(
        self,
        *,
        from_: str | None = None,
        to: str | None = None,
        group: Literal["day", "key"] | None = None,
        key: str | None = None,
    ) -> Usage:
        return await self._transport.json(Call("/v1/usage", query={"from": from_, "to": to, "group": group, "key": key}))

    def inbox(
        self,
        *,
        disposition: str | None = None,
        execution_id: str | None = None,
        received_after: str | datetime | None = None,
        received_before: str | datetime | None = None,
    ) -> AsyncGenerator[Callback, None]:
        query = {"disposition": disposition, "execution_id": execution_id}
        times = {"received_after": received_after, "received_before": received_before}
        return self._transport.pages(Call("/v1/callbacks", query={**query, **times}))

    async def whoami(self) -> Dict[str, str]:
        return await self._transport.json(Call("/v1/whoami"))

    async def settings(self) -> Dict[str, Any]:
        return await self._transport.json(Call("/v1/settings"))


class ServiceCalls:
    _calls: AsyncServiceCalls

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
        group: Literal["day", "key"] | None = None,
        key: str | None = None,
    ) -> Usage:
        """Returns what was spent, by day or key. Days such as 2026-01-31; without them, the last 30."""
        return run(self._calls.usage(from_=from_, to=to, group=group, key=key))

    def inbox(
        self,
        *,
        disposition: str | None = None,
        execution_id: str | None = None,
        received_after: str | datetime | None = None,
        received_before: str | datetime | None = None,
    ) -> Iterator[Callback]:
        """Yields the callbacks of all executions, newest first."""
        return iterate(
            self._calls.inbox(
                disposition=disposition,
                execution_id=execution_id,
                received_after=received_after,
                received_before=received_before,
            )
        )

    def whoami(self) -> Dict[str, str]:
        """Returns the `name` and `role` of the key."""
        return run(self._calls.whoami())

    def settings(self) -> Dict[str, Any]:
        """Returns the settings in force, without secrets. Administrators only."""
        return run(self._calls.settings())
