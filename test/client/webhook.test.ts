// Verifying deliveries: what the reference library signs is taken, and nothing else.
import { Webhook } from "standardwebhooks";
import { expect, test } from "vitest";
import { verifyWebhook } from "../../src/client/webhook.ts";

const secretOf = (byte: number) => `whsec_${Buffer.alloc(32, byte).toString("base64")}`;
const [secret, another] = [secretOf(1), secretOf(2)];
const body = JSON.stringify({
  type: "job.succeeded",
  timestamp: "2026-01-01T00:00:00Z",
  data: { job_id: "job_é" },
});
const now = Date.parse("2026-01-01T00:00:00Z");

function delivery(signedWith: string[] = [secret], sentAt = now, text = body) {
  const signatures = signedWith.map((one) => new Webhook(one).sign("evt_1", new Date(sentAt), text));
  return {
    "webhook-id": "evt_1",
    "webhook-timestamp": String(Math.floor(sentAt / 1_000)),
    "webhook-signature": signatures.join(" "),
  };
}

test("a genuine delivery is taken, as text or bytes, with plain headers, a list of values or Headers", async () => {
  const expected = JSON.parse(body);
  const headers = delivery();
  expect(await verifyWebhook(secret, headers, body, { now })).toEqual(expected);
  expect(await verifyWebhook(secret, new Headers(headers), Buffer.from(body), { now })).toEqual(expected);
  const spelled = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toUpperCase(), [value]]),
  );
  expect(await verifyWebhook(secret, spelled, body, { now })).toEqual(expected);
});

test("while secrets are rotated one of several signatures and one of several secrets is enough", async () => {
  const expected = JSON.parse(body);
  expect(await verifyWebhook(another, delivery([secret, another]), body, { now })).toEqual(expected);
  expect(await verifyWebhook([another, secret], delivery([secret]), body, { now })).toEqual(expected);
});

test("another body, id, time or secret is refused", async () => {
  const refused = (headers: Record<string, string>, text = body, secrets: string | string[] = secret) =>
    expect(verifyWebhook(secrets, headers, text, { now })).rejects.toThrow(/matches none of the secrets/);
  await refused(delivery(), `${body} `);
  await refused({ ...delivery(), "webhook-id": "evt_2" });
  await refused({ ...delivery(), "webhook-timestamp": String(now / 1_000 - 1) });
  await refused(delivery(), body, another);
  await refused(delivery(), body, []);
  await refused({ ...delivery(), "webhook-signature": "v1,%%% v2,aaaa nonsense" });
});

test("a delivery from long ago, or from the future, is refused however well it is signed", async () => {
  for (const sentAt of [now - 301_000, now + 301_000])
    await expect(verifyWebhook(secret, delivery([secret], sentAt), body, { now })).rejects.toThrow(
      /differs too much/,
    );
  const headers = { ...delivery(), "webhook-timestamp": "soon" };
  await expect(verifyWebhook(secret, headers, body, { now })).rejects.toThrow(/differs too much/);
});

test("a missing header and a secret that is none are told by name", async () => {
  const { "webhook-signature": _, ...unsigned } = delivery();
  await expect(verifyWebhook(secret, unsigned, body, { now })).rejects.toThrow(
    "webhook-signature is missing",
  );
  await expect(verifyWebhook("whsec_%", delivery(), body, { now })).rejects.toThrow("the secret must be");
});
