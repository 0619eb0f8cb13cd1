"""Subscriptions and their deliveries."""

from __future__ import annotations

from typing import Any, AsyncGenerator, Iterator, Sequence
from urllib.parse import quote

from . import _paths as paths
from ._transport import Call, Transport
from ._wire import iterate, run
from .artifacts import Delivery, Webhook, WebhookWithSecret


class AsyncWebhooks:
    """Calls about webhooks. A call that is not idempotent is not repeated."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def create(self, url: str, types: Sequence[str], *, secret: str | None = None) -> WebhookWithSecret:
        """Subscribes to types such as `job.*` or `run.failed`. The secret is in this answer and never again."""
        body = {"url": url, "types": list(types), **({} if secret is None else {"secret": secret})}
        return await self._once("/v1/webhooks", body)

    def list(self) -> AsyncGenerator[Webhook, None]:
        return self._transport.pages(Call("/v1/webhooks"))

    async def get(self, webhook_id: str) -> Webhook:
        return await self._transport.json(Call(paths.webhook(webhook_id)))

    async def delete(self, webhook_id: str) -> None:
        await self._transport.none(Call(paths.webhook(webhook_id), "DELETE", repeatable=False))

    async def rotate(self, webhook_id: str, *, secret: str | None = None) -> WebhookWithSecret:
        """Makes a new secret; the old one signs for another day."""
        body = {} if secret is None else {"secret": secret}
        return await self._once(f"{paths.webhook(webhook_id)}/rotate", body)

    async def enable(self, webhook_id: str) -> Webhook:
        return await self._transport.json(Call(f"{paths.webhook(webhook_id)}/enable", "POST"))

    def deliveries(self, webhook_id: str) -> AsyncGenerator[Delivery, None]:
        return self._transport.pages(Call(f"{paths.webhook(webhook_id)}/deliveries"))

    async def redeliver(self, webhook_id: str, delivery_id: str) -> Delivery:
        return await self._once(f"{paths.webhook(webhook_id)}/deliveries/{quote(delivery_id, safe='')}/redeliver", None)

    async def _once(self, path: str, body: Any) -> Any:
        return await self._transport.json(Call(path, "POST", body=body, repeatable=False))


class Webhooks:
    """Subscriptions and their deliveries. What changes something twice when it is sent twice is not repeated."""

    def __init__(self, calls: AsyncWebhooks) -> None:
        self._calls = calls

    def create(self, url: str, types: Sequence[str], *, secret: str | None = None) -> WebhookWithSecret:
        """Subscribes to types such as `job.*` or `run.failed`. The secret is in this answer and never again."""
        return run(self._calls.create(url, types, secret=secret))

    def list(self) -> Iterator[Webhook]:
        return iterate(self._calls.list())

    def get(self, webhook_id: str) -> Webhook:
        return run(self._calls.get(webhook_id))

    def delete(self, webhook_id: str) -> None:
        run(self._calls.delete(webhook_id))

    def rotate(self, webhook_id: str, *, secret: str | None = None) -> WebhookWithSecret:
        """Makes a new secret; the old one signs for another day."""
        return run(self._calls.rotate(webhook_id, secret=secret))

    def enable(self, webhook_id: str) -> Webhook:
        return run(self._calls.enable(webhook_id))

    def deliveries(self, webhook_id: str) -> Iterator[Delivery]:
        return iterate(self._calls.deliveries(webhook_id))

    def redeliver(self, webhook_id: str, delivery_id: str) -> Delivery:
        return run(self._calls.redeliver(webhook_id, delivery_id))
