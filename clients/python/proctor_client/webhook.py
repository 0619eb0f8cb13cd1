"""Tells a genuine delivery from a forged or replayed one, per Standard Webhooks [standardwebhooks.com]."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from typing import Any, Mapping, Sequence, Union, cast

from .answers import WebhookPayload
from .errors import WebhookVerificationError

MAX_SIGNATURES = 20
"""Rotation makes a few; a header full of signatures must not cost as many comparisons."""


def verify_webhook(
    secrets: Union[str, Sequence[str]],
    headers: Mapping[str, Any],
    body: Union[str, bytes],
    *,
    tolerance: float = 300.0,
    now: Union[float, None] = None,
) -> WebhookPayload:
    """Returns the payload, if one of the secrets signed it just now.

    `secrets` are `whsec_…`, several while they are rotated. `body` is as it came, to the byte: parsed and put together
    again, it would not verify. `tolerance` is how many seconds the delivery's time may be from ours, `now` seconds
    since the epoch. Raises WebhookVerificationError.
    """
    message_id = _header(headers, "webhook-id")
    sent_at = _header(headers, "webhook-timestamp")
    at = time.time() if now is None else now
    if not _SECONDS.fullmatch(sent_at) or abs(at - int(sent_at)) > tolerance:
        raise WebhookVerificationError("webhook-timestamp is too far from the time here")
    data = body.encode() if isinstance(body, str) else bytes(body)
    signed = f"{message_id}.{sent_at}.".encode() + data
    given = _header(headers, "webhook-signature").split(" ", MAX_SIGNATURES)[:MAX_SIGNATURES]
    signatures = [one for one in (_from_base64(text[3:]) for text in given if text.startswith("v1,")) if one]
    for secret in [secrets] if isinstance(secrets, str) else secrets:
        expected = hmac.new(_key_of(secret), signed, hashlib.sha256).digest()
        # All are compared, each in constant time.
        if sum([hmac.compare_digest(expected, signature) for signature in signatures]) > 0:
            return cast(WebhookPayload, json.loads(data))
    raise WebhookVerificationError("webhook-signature holds no signature of these secrets")


def _header(headers: Mapping[str, Any], name: str) -> str:
    found = next((value for key, value in headers.items() if str(key).lower() == name), None)
    value = found[0] if isinstance(found, (list, tuple)) and found else found
    if not isinstance(value, str) or value == "":
        raise WebhookVerificationError(f"{name} is missing")
    return value


def _key_of(secret: str) -> bytes:
    key = _from_base64(secret[len("whsec_") :] if secret.startswith("whsec_") else secret)
    if not key:
        raise WebhookVerificationError("the secret is not whsec_ and base64")
    return key


def _from_base64(text: str) -> Union[bytes, None]:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        return None


_SECONDS = re.compile(r"[0-9]{1,12}")
