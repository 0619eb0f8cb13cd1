// Verifies deliveries per Standard Webhooks [standardwebhooks.com] with WebCrypto.

export interface WebhookPayload {
  type: string;
  timestamp: string;
  data: { event_id: string; seq: number; job_id: string; run_id?: string; execution_id?: string } & Record<
    string,
    unknown
  >;
}

export class WebhookVerificationError extends Error {
  override readonly name = "WebhookVerificationError";
}

type HeaderSource = Headers | Record<string, string | string[] | undefined>;

export interface VerifyOptions {
  /** Accepted difference between the delivery's time and now; default five minutes. */
  toleranceMs?: number;
  now?: number;
}

/**
 * @param secrets `whsec_…`; several during a rotation
 * @param body the received bytes, not parsed and serialized again
 * @throws WebhookVerificationError
 */
export async function verifyWebhook(
  secrets: string | readonly string[],
  headers: HeaderSource,
  body: string | Uint8Array,
  { toleranceMs = 5 * 60_000, now = Date.now() }: VerifyOptions = {},
): Promise<WebhookPayload> {
  const id = header(headers, "webhook-id");
  const sentAt = header(headers, "webhook-timestamp");
  if (!/^\d{1,12}$/.test(sentAt) || Math.abs(now - Number(sentAt) * 1_000) > toleranceMs)
    throw new WebhookVerificationError("webhook-timestamp differs too much from the current time");
  const bytes = typeof body === "string" ? encoder.encode(body) : body;
  const signed = concat(encoder.encode(`${id}.${sentAt}.`), bytes);
  const signatures = header(headers, "webhook-signature")
    .split(" ")
    .flatMap((part) => (part.startsWith("v1,") ? (fromBase64(part.slice(3)) ?? []) : []));
  for (const secret of typeof secrets === "string" ? [secrets] : secrets) {
    const key = await keyOf(secret);
    // `verify` compares in constant time.
    for (const signature of signatures.slice(0, MAX_SIGNATURES))
      if (await crypto.subtle.verify("HMAC", key, signature, signed)) return payload(bytes);
  }
  throw new WebhookVerificationError("webhook-signature matches none of the secrets");
}

/** A rotation makes few signatures; the limit bounds the work for a forged header. */
const MAX_SIGNATURES = 20;
const encoder = new TextEncoder();

function payload(bytes: Uint8Array): WebhookPayload {
  return JSON.parse(new TextDecoder().decode(bytes)) as WebhookPayload;
}

function header(headers: HeaderSource, name: string): string {
  const found = headers instanceof Headers ? headers.get(name) : byName(headers, name);
  const value = Array.isArray(found) ? found[0] : found;
  if (value == null || value === "") throw new WebhookVerificationError(`${name} is missing`);
  return value;
}

function byName(headers: Record<string, string | string[] | undefined>, name: string) {
  return Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
}

function keyOf(secret: string): Promise<CryptoKey> {
  const bytes = fromBase64(secret.replace(/^whsec_/, ""));
  if (bytes === null || bytes.length === 0)
    throw new WebhookVerificationError("the secret must be whsec_ and base64");
  return crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  } catch {
    return null;
  }
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
