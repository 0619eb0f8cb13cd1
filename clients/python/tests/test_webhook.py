"""Deliveries signed per Standard Webhooks; the vectors are signed here without the code under test."""

from __future__ import annotations

import base64
import hashlib
import hmac
import unittest
from typing import Any

from proctor_client import WebhookVerificationError, verify_webhook

NOW = 1_700_000_000
BODY = '{"type":"job.succeeded","timestamp":"2023-11-14T22:13:20.000Z","data":{"job_id":"jöb_1"}}'
KEY = b"a key of thirty-two bytes, so it"
SECRET = "whsec_" + base64.b64encode(KEY).decode()


def signed(body: str = BODY, key: bytes = KEY, at: int = NOW, message_id: str = "msg_1") -> dict[str, Any]:
    content = f"{message_id}.{at}.{body}".encode()
    signature = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return {"Webhook-Id": message_id, "webhook-timestamp": str(at), "WEBHOOK-SIGNATURE": f"v1,{signature}"}


class VerifyWebhook(unittest.TestCase):
    def refused(self, because: str, secrets: Any, headers: Any, body: Any = BODY, **options: Any) -> None:
        with self.assertRaisesRegex(WebhookVerificationError, because):
            verify_webhook(secrets, headers, body, **{"now": NOW, **options})

    def test_a_vector_of_the_specification_is_verified(self) -> None:
        # From the reference libraries of Standard Webhooks.
        headers = {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        }
        secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
        payload = verify_webhook(secret, headers, '{"test": 2432232314}', now=1_614_265_330)
        self.assertEqual(payload, {"test": 2_432_232_314})

    def test_a_genuine_delivery_gives_its_payload_whatever_the_case_of_its_headers(self) -> None:
        for body in (BODY, BODY.encode()):
            self.assertEqual(verify_webhook(SECRET, signed(), body, now=NOW)["data"]["job_id"], "jöb_1")
        listed = {name: [value] for name, value in signed().items()}
        self.assertEqual(verify_webhook(SECRET, listed, BODY, now=NOW)["type"], "job.succeeded")

    def test_while_a_secret_is_rotated_either_of_two_is_enough_on_both_sides(self) -> None:
        other = "whsec_" + base64.b64encode(b"another").decode()
        self.assertTrue(verify_webhook([other, SECRET], signed(), BODY, now=NOW))
        headers = signed()
        foreign = signed(key=b"another")["WEBHOOK-SIGNATURE"]
        headers["WEBHOOK-SIGNATURE"] = f"v1a,zzz {foreign} {headers['WEBHOOK-SIGNATURE']}"
        self.assertTrue(verify_webhook(SECRET, headers, BODY, now=NOW))

    def test_a_change_of_anything_that_is_signed_is_found(self) -> None:
        self.refused("no signature", SECRET, signed(), BODY.replace("1", "2"))
        self.refused("no signature", SECRET, signed(), BODY + " ")
        self.refused("no signature", SECRET, {**signed(), "Webhook-Id": "msg_2"})
        self.refused("no signature", SECRET, {**signed(), "webhook-timestamp": str(NOW + 1)})
        self.refused("no signature", SECRET, signed(key=b"another"))

    def test_a_delivery_from_another_time_is_refused(self) -> None:
        self.refused("too far", SECRET, signed(at=NOW - 301))
        self.refused("too far", SECRET, signed(at=NOW + 301))
        self.refused("too far", SECRET, {**signed(), "webhook-timestamp": "١"})
        self.refused("too far", SECRET, signed(at=NOW - 11), tolerance=10)
        self.assertTrue(verify_webhook(SECRET, signed(at=NOW - 300), BODY, now=NOW))
        self.refused("too far", SECRET, signed(), now=None)

    def test_what_is_missing_or_malformed_is_refused_by_name(self) -> None:
        for name in signed():
            without = {key: value for key, value in signed().items() if key != name}
            self.refused(f"{name.lower()} is missing", SECRET, without)
        for signature in ("v1,", "v1,%%%", "v2,abc", "nonsense"):
            self.refused("no signature", SECRET, {**signed(), "WEBHOOK-SIGNATURE": signature})
        for secret in ("whsec_", "whsec_%%%"):
            self.refused("the secret is not", secret, signed())

    def test_no_more_signatures_are_compared_than_a_rotation_makes(self) -> None:
        headers = signed()
        headers["WEBHOOK-SIGNATURE"] = "v1,AAAA " * 20 + headers["WEBHOOK-SIGNATURE"]
        self.refused("no signature", SECRET, headers)
