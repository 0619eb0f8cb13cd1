// Webhooks: subscriptions to event types, the form of URLs and secrets, the rotation of secrets.
import { type EventType, eventTypes } from "./event.ts";

const families = ["*", "job.*", "run.*", "execution.*"] as const;
/** Single types, a whole family, or all. */
export const subscribableTypes: readonly (EventType | (typeof families)[number])[] = [
  ...families,
  ...eventTypes,
];

export function matchesType(types: readonly string[], type: string): boolean {
  const [family] = type.split(".");
  return types.includes(type) || types.includes("*") || types.includes(`${family}.*`);
}

export const MAX_URL = 2_000;

/** The problem with the form of a webhook's URL, or null. Its addresses are checked before each delivery. */
export function urlProblem(text: string): string | null {
  if (text.length > MAX_URL) return `is longer than ${MAX_URL} characters`;
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return "is not a URL; write it as https://…";
  const { username, password, port, hash } = new URL(text);
  if (username !== "" || password !== "") return "carries a user name or password; leave them out";
  if (hash !== "") return "carries a fragment, which is never sent; leave it out";
  // Mail servers and the like must not receive HTTP.
  if (port !== "" && port !== "80" && Number(port) < 1024) return "has a port below 1024 that is not HTTP's";
  return null;
}

/** `whsec_` and 24 to 64 bytes in base64, by Standard Webhooks. */
export function isWebhookSecret(text: string): boolean {
  const secret = /^whsec_([A-Za-z0-9+/]+)={0,2}$/.exec(text)?.[1];
  const bytes = Buffer.from(secret ?? "", "base64");
  return bytes.length >= 24 && bytes.length <= 64 && bytes.toString("base64").replace(/=+$/, "") === secret;
}

export interface Secret {
  secret: string;
  until: number | null;
}

/** The new secret comes first, and the old secrets sign for another day. The current secret again changes nothing. */
export function rotate(secrets: readonly Secret[], secret: string, now: number): Secret[] {
  if (secrets.some((current) => current.secret === secret && current.until === null)) return [...secrets];
  const others = secrets.filter((other) => other.secret !== secret);
  const older = others.map((other) => ({ ...other, until: other.until ?? now + OVERLAP_MS }));
  return [{ secret, until: null }, ...inForce(older, now)].slice(0, MAX_SECRETS);
}

export function inForce(secrets: readonly Secret[], now: number): Secret[] {
  return secrets.filter(({ until }) => until === null || until > now);
}

const OVERLAP_MS = 24 * 60 * 60_000;
const MAX_SECRETS = 5;

/** As Standard Webhooks recommends; `data` has the ids of the event's job, run and execution. */
export function payloadOf(event: {
  id: string;
  seq: number;
  type: string;
  created_at: number;
  job_id: string;
  run_id: string | null;
  execution_id: string | null;
  /** JSON. */
  data: string;
}): string {
  const { id, seq, type, created_at, job_id, run_id, execution_id } = event;
  const about = {
    event_id: id,
    seq,
    job_id,
    ...(run_id === null ? {} : { run_id }),
    ...(execution_id === null ? {} : { execution_id }),
  };
  const data = { ...JSON.parse(event.data), ...about };
  return JSON.stringify({ type, timestamp: new Date(created_at).toISOString(), data });
}
