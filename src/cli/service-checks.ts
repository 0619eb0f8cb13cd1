// A running service looked at from outside, with the client's eyes.
import { createClient, ProctorError, type Status } from "../client/client.ts";

export interface Finding {
  check: string;
  ok: boolean;
  detail: string;
  /** The way out. */
  hint?: string;
}

interface Place {
  url: string;
  apiKey: string;
}

/** Checks what can still be checked: nothing more of a service that does not answer. */
export async function inspect(place: Place, signal: AbortSignal): Promise<Finding[]> {
  const base = place.url.replace(/\/+$/, "");
  const askedAt = Date.now();
  const alive = await look(`${base}/livez`, signal);
  if (!(alive instanceof Response))
    return [
      failed("reachable", `${base}: ${alive}`, "set PROCTOR_URL or --url, and see that the service runs"),
    ];
  if (!alive.ok)
    return [
      failed(
        "reachable",
        `${base}/livez answers ${alive.status}`,
        "is this Proctor, or a proxy in front of it?",
      ),
    ];
  return [
    passed("reachable", base),
    await readiness(base, signal),
    clock(alive.headers.get("Date"), askedAt),
    ...(await withKey(place, signal)),
  ];
}

/** The answer, or why there is none. */
async function look(url: string, signal: AbortSignal): Promise<Response | string> {
  try {
    return await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]) });
  } catch (error) {
    signal.throwIfAborted();
    const { cause, message } = error as { cause?: { code?: string }; message: string };
    return cause?.code ?? message;
  }
}

async function readiness(base: string, signal: AbortSignal): Promise<Finding> {
  const answer = await look(`${base}/readyz`, signal);
  if (answer instanceof Response && answer.ok)
    return passed("ready", "database writable, migrations applied");
  const why = answer instanceof Response ? ((await answer.json()) as { detail?: string }).detail : answer;
  return failed(
    "ready",
    why ?? "no reason given",
    "see the service's log; `proctor migrate` applies migrations",
  );
}

/** Signatures of webhooks are refused when they seem five minutes old. */
function clock(date: string | null, askedAt: number): Finding {
  if (date === null) return passed("clock", "the service tells no time");
  // The header has whole seconds.
  const skewMs = Math.abs(Date.parse(date) + 500 - (askedAt + Date.now()) / 2);
  const seconds = Math.round(skewMs / 1_000);
  return skewMs < MAX_SKEW_MS
    ? passed("clock", "agrees with the service's")
    : failed("clock", `${seconds} s apart from the service's`, "synchronize both by NTP");
}

const MAX_SKEW_MS = 30_000;

async function withKey(place: Place, signal: AbortSignal): Promise<Finding[]> {
  const client = createClient({ ...place, retry: { attempts: 2 } });
  try {
    const status = await client.status({ signal });
    return [
      await role(place, signal),
      ...callbacks(status),
      ...lyceum(status),
      ...starts(status),
      ...queue(status),
    ];
  } catch (error) {
    if (!(error instanceof ProctorError)) throw error;
    const isKey = error.code === "unauthorized";
    return [
      isKey
        ? failed("key", "the service does not know it", "compare PROCTOR_API_KEY with the service's API_KEYS")
        : failed("status", error.message, "see the service's log"),
    ];
  }
}

/** A submission without runs is refused in any case: with 403 where the key may only read. */
async function role(place: Place, signal: AbortSignal): Promise<Finding> {
  try {
    await createClient({ ...place, retry: { attempts: 1 } }).submit({ runs: [] }, { signal });
  } catch (error) {
    if (!(error instanceof ProctorError)) throw error;
    if (error.code === "validation-failed") return passed("key", "valid, may submit");
    if (error.code === "forbidden") return passed("key", "valid, may only read");
    return failed("key", error.message, "see the service's log");
  }
  return passed("key", "valid");
}

function callbacks({ callbacks: { mode, health, judged, recently_missed } }: Status): Finding[] {
  if (mode === "polling_only")
    return [passed("callbacks", "not asked for: polling alone finds ends (PUBLIC_URL is not set)")];
  if (health === "healthy")
    return [passed("callbacks", `healthy, ${judged - recently_missed} of the last ${judged} came`)];
  if (recently_missed === 0) return [passed("callbacks", "not proven yet: too few runs have ended")];
  const detail = `${recently_missed} of the last ${judged} did not come; polling finds the ends, later`;
  return [failed("callbacks", detail, "can Lyceum reach PUBLIC_URL from outside, through every proxy?")];
}

function lyceum({ lyceum: { circuit, limits } }: Status): Finding[] {
  const { execution } = limits;
  const left = execution?.limit == null ? "starts are not limited" : `${execution.remaining} starts left`;
  const until = execution?.paused_until == null ? "" : `, paused until ${execution.paused_until}`;
  if (circuit.state === "closed") return [passed("lyceum", `answers; ${left}${until}`)];
  const detail = `circuit ${circuit.state} after ${circuit.failures} failures, next try ${circuit.retry_at ?? "now"}`;
  return [failed("lyceum", detail, "is Lyceum down, or are LYCEUM_BASE_URL and the credentials wrong?")];
}

/** A service that has just been restarted tries one start alone, which is as it should be. */
function starts({ lyceum: { starts } }: Status): Finding[] {
  if (starts === undefined || starts.state === "flowing") return [];
  const detail = `paused since ${starts.since}, next try ${starts.next_probe_at}: ${starts.detail}`;
  const hint = starts.reason === null ? undefined : waysOut[starts.reason];
  return [hint === undefined ? passed("starts", detail) : failed("starts", detail, hint)];
}

const waysOut: Partial<Record<string, string>> = {
  unreachable: "does LYCEUM_BASE_URL lead to Lyceum, or to a proxy or a login page?",
  unavailable: "nothing to do: starts go on by themselves once Lyceum takes them",
  unauthorized: "renew LYCEUM_API_KEY, or LYCEUM_EMAIL and LYCEUM_PASSWORD",
  unfunded: "buy credits, or raise the quota, at Lyceum; starts then go on by themselves",
  unknown: "is Lyceum down? Starts go on by themselves once it answers",
};

function queue({ queue: { depth, in_doubt, without_wakeup } }: Status): Finding[] {
  if (without_wakeup === 0) return [passed("queue", `${depth} waiting, ${in_doubt} in doubt`)];
  return [failed("queue", `${without_wakeup} rows without a wake-up`, "this is a bug: please report it")];
}

function passed(check: string, detail: string): Finding {
  return { check, ok: true, detail };
}

function failed(check: string, detail: string, hint: string): Finding {
  return { check, ok: false, detail, hint };
}
