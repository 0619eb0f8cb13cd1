// Checks that the service makes of itself: `proctor doctor` prints them, and the operator's page shows them.
import type { StatusView } from "../../contract/status.ts";
import { type Check, failed, passed } from "../../lib/check.ts";

type State = Omit<StatusView, "checks">;

export function checksOf(state: State, disk: readonly Check[], now: number): StatusView["checks"] {
  const checks = [
    ...callbacks(state),
    ...inbox(state, now),
    ...lyceum(state),
    ...starts(state),
    ...queue(state),
    ...wal(state),
    ...disk,
    ...instances(state),
  ];
  return checks.map((check) => ({ ...check, hint: check.hint ?? null }));
}

function callbacks({ callbacks: { mode, health, judged, recently_missed } }: State): Check[] {
  if (mode === "polling_only")
    return [passed("callbacks", "off: only polling finds ends (PUBLIC_URL is not set)")];
  if (health === "healthy")
    return [passed("callbacks", `healthy, ${judged - recently_missed} of the last ${judged} arrived`)];
  if (recently_missed === 0) return [passed("callbacks", "unproven: too few runs have ended")];
  const detail = `${recently_missed} of the last ${judged} did not arrive; polling finds the ends later`;
  return [
    failed("callbacks", detail, "check that Lyceum can reach PUBLIC_URL from outside, through every proxy"),
  ];
}

function inbox({ callbacks: { in_inbox, oldest_in_inbox_at } }: State, now: number): Check[] {
  const waitsMs = oldest_in_inbox_at === null ? 0 : now - Date.parse(oldest_in_inbox_at);
  if (waitsMs < MAX_IN_INBOX_MS) return [passed("inbox", `${in_inbox} callbacks to file`)];
  const detail = `${in_inbox} callbacks to file, the oldest came at ${oldest_in_inbox_at}`;
  return [failed("inbox", detail, "look in the log for errors of `inbox`; polling finds the ends meanwhile")];
}

/** A callback is filed within seconds. */
const MAX_IN_INBOX_MS = 60_000;

function lyceum({ lyceum: { circuit, limits } }: State): Check[] {
  const { execution } = limits;
  const left = execution.limit === null ? "starts are not limited" : `${execution.remaining} starts left`;
  const until = execution.paused_until === null ? "" : `, paused until ${execution.paused_until}`;
  if (circuit.state === "closed") return [passed("lyceum", `answers; ${left}${until}`)];
  const detail = `circuit ${circuit.state} after ${circuit.failures} failures, next try ${circuit.retry_at ?? "now"}`;
  return [failed("lyceum", detail, "check LYCEUM_BASE_URL and the credentials, or wait until Lyceum is up")];
}

/** A pause after a restart is normal: the service tries a single start first. */
function starts({ lyceum: { starts } }: State): Check[] {
  if (starts.state === "flowing") return [];
  const detail = `paused since ${starts.since}, next try ${starts.next_probe_at}: ${starts.detail}`;
  const hint = starts.reason === null ? undefined : startHints[starts.reason];
  return [hint === undefined ? passed("starts", detail) : failed("starts", detail, hint)];
}

const startHints: Partial<Record<string, string>> = {
  unreachable: "check that LYCEUM_BASE_URL leads to Lyceum, not to a proxy or login page",
  unavailable: "nothing to do: starts continue once Lyceum accepts them",
  unauthorized: "renew LYCEUM_API_KEY, or LYCEUM_EMAIL and LYCEUM_PASSWORD",
  unfunded: "buy credits or raise the quota at Lyceum; starts then continue",
  unknown: "wait until Lyceum is up; starts then continue",
};

function queue({ queue: { depth, in_doubt, without_wakeup } }: State): Check[] {
  if (without_wakeup === 0) return [passed("queue", `${depth} waiting, ${in_doubt} in doubt`)];
  return [
    failed("queue", `${without_wakeup} rows without a wake-up`, "this is a bug: please report the rows"),
  ];
}

/** Readers that never end keep SQLite from shortening its log. */
function wal({ database: { wal_bytes: bytes } }: State): Check[] {
  if (bytes === null) return [];
  const detail = `${Math.round(bytes / 1e6)} MB of write-ahead log`;
  if (bytes < MAX_WAL_BYTES) return [passed("wal", detail)];
  return [failed("wal", detail, "end long reads of the database file, such as a copy or an open shell")];
}

const MAX_WAL_BYTES = 1e9;

function instances({ instances }: State): Check[] {
  if (instances.length < 2) return [];
  const skewed = instances.filter(({ clock_offset_ms }) => Math.abs(clock_offset_ms) > MAX_OFFSET_MS);
  const versions = new Set(instances.map(({ version }) => version));
  const detail = `${instances.length} alive, ${[...versions].map((version) => `version ${version}`).join(", ")}`;
  if (skewed.length === 0) return [passed("instances", detail)];
  const offsets = skewed.map(({ id, clock_offset_ms }) => `${id}: ${clock_offset_ms} ms`).join(", ");
  return [failed("instances", `clocks differ from the database's: ${offsets}`, "synchronize them by NTP")];
}

const MAX_OFFSET_MS = 2_000;
