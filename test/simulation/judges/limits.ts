// Starts stay within the limit that is set and the one that Lyceum tells honestly, and never stand still for long.
import type { Agenda } from "../agenda.ts";
import type { ExecutionEntry, JobEntry } from "../books.ts";
import type { Host } from "../host.ts";
import { demand } from "../invariants.ts";
import type { Heard } from "../network.ts";

const SECOND = 1_000;
/** The longest window that is documented, and some minutes for whatever comes after it. */
const MAX_STANDSTILL_MS = 70 * 60 * SECOND;

/** An answer is written within this. */
const UNWRITTEN_MS = 3 * SECOND;

interface LimitsOptions {
  agenda: Agenda;
  submit: { limit: { max: number; windowMs: number } | null; concurrency: number };
  /** One host alone keeps the limits in memory. */
  isAlone: boolean;
  slackMs: number;
}

export function createLimits({ agenda, submit, isAlone, slackMs }: LimitsOptions) {
  const now = () => agenda.monotonic();
  const judgedAt: number[] = [];
  /** Starts on their way to Lyceum, and who has sent them. */
  const underWay = new Map<string, Host>();
  /** When the claim of an execution was first seen. */
  const claimedAt = new Map<string, number>();
  let closed = { since: 0, until: 0 };
  let standingSince: number | null = null;
  let hasJumped = false;
  /** Lyceum's headers overrule the limit that is set. */
  let isOverruled = false;

  return {
    sent(marker: string, arrives: boolean, host: Host): void {
      if (arrives) underWay.set(marker, host);
      standingSince = null;
      const isClosed = now() < closed.until && (claimedAt.get(marker) ?? now()) >= closed.since;
      demand(!isClosed, () => `${marker} is started although Lyceum said that none was left`);
      demand(underWay.size <= submit.concurrency, () => `${underWay.size} starts are under way at once`);
    },
    judged(marker: string): void {
      if (underWay.delete(marker)) judgedAt.push(now());
      const { limit: submitLimit } = submit;
      if (submitLimit === null || hasJumped || isOverruled) return;
      const recent = judgedAt.filter((at) => at > now() - submitLimit.windowMs);
      demand(recent.length <= submitLimit.max, () => `${recent.length} starts within the limit's window`);
    },
    heard({ call, answer }: Heard): void {
      if (call.route !== "start") return;
      if (answer?.headers?.["x-ratelimit-reset"] !== undefined) isOverruled = true;
      if (answer?.left === undefined) return;
      if (answer.left.starts > 0) return;
      // Until its answer is written, the other hosts go on.
      const since = isAlone ? 0 : now() + UNWRITTEN_MS + slackMs;
      closed = { since, until: answer.left.until };
    },
    /** Nobody knows when a start arrives whose sender died, or stands still: the start counts from now. */
    fellSilent(host: Host): void {
      for (const [marker, sender] of underWay) {
        if (sender !== host) continue;
        underWay.delete(marker);
        judgedAt.push(now());
      }
      if (isAlone || now() < closed.since) closed = { since: 0, until: 0 };
      standingSince = null;
    },
    jumped(): void {
      hasJumped = true;
      standingSince = null;
    },
    check(jobs: JobEntry[], executions: ExecutionEntry[]): void {
      for (const { id } of executions) if (!claimedAt.has(id)) claimedAt.set(id, now());
      const isWaiting = jobs.some(({ ready_at }) => ready_at !== null && ready_at <= agenda.now());
      standingSince = isWaiting ? (standingSince ?? now()) : null;
      const ms = now() - (standingSince ?? now());
      demand(ms <= MAX_STANDSTILL_MS, () => `no start for ${Math.round(ms / SECOND)} s although runs wait`);
    },
  };
}
