// Checks of a running service over HTTP.
import { type Client, createClient, ProctorError } from "../client/client.ts";
import { SELF_TEST_HEADER } from "../domain/self-test.ts";
import { type Check, failed, passed } from "../lib/check.ts";

interface Target {
  url: string;
  apiKey: string;
}

export async function checkService(target: Target, signal: AbortSignal): Promise<Check[]> {
  const base = target.url.replace(/\/+$/, "");
  const sentAt = Date.now();
  const alive = await get(`${base}/livez`, signal);
  if (!(alive instanceof Response))
    return [
      failed("reachable", `${base}: ${alive}`, "set PROCTOR_URL or --url, and check that the service runs"),
    ];
  if (!alive.ok)
    return [
      failed(
        "reachable",
        `${base}/livez answers ${alive.status}`,
        "check that the URL leads to Proctor, not to a proxy",
      ),
    ];
  return [
    passed("reachable", base),
    await readiness(base, signal),
    clock(alive.headers.get("Date"), sentAt),
    ...(await checksWithKey(target, signal)),
  ];
}

/** Or the reason why there is no response. */
async function get(url: string, signal: AbortSignal): Promise<Response | string> {
  try {
    return await untraced(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]) });
  } catch (error) {
    signal.throwIfAborted();
    const { cause, message } = error as { cause?: { code?: string }; message: string };
    return cause?.code ?? message;
  }
}
/** Leaves no trace in the service's log and counters. */
const untraced: typeof fetch = (input, init) => {
  const headers = new Headers(init?.headers);
  headers.set(SELF_TEST_HEADER, "1");
  return fetch(input, { ...init, headers });
};

async function readiness(base: string, signal: AbortSignal): Promise<Check> {
  const response = await get(`${base}/readyz`, signal);
  if (response instanceof Response && response.ok)
    return passed("ready", "database writable, migrations applied");
  const reason =
    response instanceof Response ? ((await response.json()) as { detail?: string }).detail : response;
  return failed(
    "ready",
    reason ?? "no reason given",
    "see the service's log; `proctor migrate` applies migrations",
  );
}

/** Receivers refuse webhooks whose time differs by five minutes. */
function clock(date: string | null, sentAt: number): Check {
  if (date === null) return passed("clock", "the service sends no Date header");
  // The header has whole seconds.
  const skewMs = Math.abs(Date.parse(date) + 500 - (sentAt + Date.now()) / 2);
  const seconds = Math.round(skewMs / 1_000);
  return skewMs < MAX_SKEW_MS
    ? passed("clock", "agrees with the service's")
    : failed("clock", `${seconds} s apart from the service's`, "synchronize both by NTP");
}

const MAX_SKEW_MS = 30_000;
async function checksWithKey(target: Target, signal: AbortSignal): Promise<Check[]> {
  const client = createClient({ ...target, fetch: untraced, retry: { attempts: 2 } });
  try {
    const status = await client.status({ signal });
    return [
      await role(client, signal),
      ...status.checks.map(({ hint, ...check }): Check => (hint === null ? check : { ...check, hint })),
      ...(await hardware(client, signal)),
    ];
  } catch (error) {
    if (!(error instanceof ProctorError)) throw error;
    const isKey = error.code === "unauthorized";
    return [
      isKey
        ? failed("key", "unknown to the service", "compare PROCTOR_API_KEY with the service's API_KEYS")
        : failed("status", error.message, "see the service's log"),
    ];
  }
}

async function role(client: Client, signal: AbortSignal): Promise<Check> {
  const { role } = await client.whoami({ signal });
  return passed("key", role === "read" ? "valid, may only read" : "valid, may submit");
}

/** Compares runs that wait with what the account may use. */
async function hardware(client: Client, signal: AbortSignal): Promise<Check[]> {
  const { data } = await client.machineTypes({ signal });
  const known = new Set(data.map(({ hardware_profile }) => hardware_profile));
  if (known.size === 0) return [];
  const unknown = new Set<string>();
  let seen = 0;
  for await (const { execution_type } of client.runs("all", { status: ["queued"], signal })) {
    if (execution_type !== null && !known.has(execution_type)) unknown.add(execution_type);
    if (++seen >= MAX_WAITING) break;
  }
  if (unknown.size === 0) return [];
  const names = [...unknown].toSorted().slice(0, 5).join(", ");
  return [
    failed(
      "hardware",
      `runs wait for ${names}, which Lyceum does not list`,
      "see proctor's /v1/machine-types",
    ),
  ];
}

const MAX_WAITING = 2_000;
