// Starts stay within the limit that is set and the one that Lyceum tells honestly, and never stand still for long.
import type { Agenda } from "../agenda.ts";
import type { JobEntry } from "../books.ts";
import { demand } from "../invariants.ts";
import type { Heard } from "../network.ts";

const SECOND = 1_000;
/** The longest window that is documented, and some minutes for whatever comes after it. */
const MAX_STANDSTILL_MS = 70 * 60 * SECOND;

export function createLimits(agenda: Agenda, submitLimit: { max: number; windowMs: number } | null) {
  const now = () => agenda.monotonic();
  const judgedAt: number[] = [];
  const underWay = new Set<string>();
  let closedUntil = 0;
  let standingSince: number | null = null;
  let hasJumped = false;
  /** Lyceum's headers overrule the limit that is set. */
  let isOverruled = false;

  return {
    sent(marker: string, arrives: boolean): void {
      if (arrives) underWay.add(marker);
      standingSince = null;
      demand(now() >= closedUntil, () => `${marker} is started although Lyceum said that none was left`);
    },
    judged(marker: string): void {
      if (underWay.delete(marker)) judgedAt.push(now());
      if (submitLimit === null || hasJumped || isOverruled) return;
      const recent = judgedAt.filter((at) => at > now() - submitLimit.windowMs);
      demand(recent.length <= submitLimit.max, () => `${recent.length} starts within the limit's window`);
    },
    heard({ call, answer }: Heard): void {
      if (call.route !== "start") return;
      if (answer?.headers?.["x-ratelimit-reset"] !== undefined) isOverruled = true;
      if (answer?.left === undefined) return;
      if (answer.left.starts === 0) closedUntil = answer.left.until;
    },
    /** Nobody knows when a start arrives whose sender died: the start counts from now. */
    died(): void {
      for (let left = underWay.size; left > 0; left--) judgedAt.push(now());
      underWay.clear();
      closedUntil = 0;
      standingSince = null;
    },
    jumped(): void {
      hasJumped = true;
      standingSince = null;
    },
    check(jobs: JobEntry[]): void {
      const isWaiting = jobs.some(({ ready_at }) => ready_at !== null && ready_at <= agenda.now());
      standingSince = isWaiting ? (standingSince ?? now()) : null;
      const ms = now() - (standingSince ?? now());
      demand(ms <= MAX_STANDSTILL_MS, () => `no start for ${Math.round(ms / SECOND)} s although runs wait`);
    },
  };
}
