// A strict sliding window over the calls of one bucket, overruled by Lyceum's headers. Times are monotonic ms.
import { type LimitNotice, MAX_PAUSE_MS } from "./rate-limit-headers.ts";

export interface Limit {
  max: number;
  windowMs: number;
}

export interface Slot {
  /** Infinite until the call has ended. */
  at: number;
  /** The order of the calls. */
  nth: number;
}

/** The wait when all slots are taken by calls under way. */
const RECHECK_MS = 1_000;

/**
 * Invariant: without headers, no span of `windowMs` holds more than `max` calls, whenever Lyceum counts a call. So a
 * slot counts from its taking until `windowMs` after the end of its call.
 * @param instances the number of processes that share the calls which headers leave, equally
 */
export function createWindow(configured: Limit | null, instances = () => 1) {
  let limit = configured;
  let slots: Slot[] = [];
  /** The remaining calls by Lyceum's headers, which decide alone until the reset. */
  let quota: { max: number; remaining: number; resetAt: number; nth: number } | null = null;
  let taken = 0;

  /** @param keptPercent share of the limit reserved for more urgent calls */
  function waitMs(now: number, keptPercent = 0): number {
    forget(now);
    if (quota) {
      const isOpen = quota.remaining > kept(quota.max, keptPercent);
      return isOpen ? 0 : quota.resetAt - now;
    }
    if (!limit) return 0;
    const open = limit.max - kept(limit.max, keptPercent);
    if (slots.length < open) return 0;
    const times = slots.map((slot) => slot.at).sort((a, b) => a - b);
    const freeAt = (times[slots.length - open] ?? now) + limit.windowMs;
    return Number.isFinite(freeAt) ? freeAt - now : RECHECK_MS;
  }

  function take(): Slot {
    const slot = { at: Number.POSITIVE_INFINITY, nth: ++taken };
    slots.push(slot);
    if (quota) quota.remaining -= 1;
    return slot;
  }

  function settle(slot: Slot, now: number): void {
    slot.at = now;
  }

  function giveBack(slot: Slot): void {
    slots = slots.filter((other) => other !== slot);
    if (quota) quota.remaining += 1;
  }

  /** To be called before the call's slot is settled. A limit from a header holds until an answer has none. */
  function learn(notice: LimitNotice, { nth }: Slot, now: number): void {
    forget(now);
    if (limit) limit = { ...limit, max: notice.max ?? configured?.max ?? limit.max };
    const { resetInMs } = notice;
    if (notice.remaining === null || resetInMs === null) return;
    // A reset in the past would empty the window at every answer; a reset beyond all windows would defer calls for nothing.
    if (resetInMs <= 0 || resetInMs > MAX_PAUSE_MS) return;
    // Lyceum has counted this call, but perhaps not the others that are still under way.
    const underWay = slots.filter((slot) => slot.at === Number.POSITIVE_INFINITY).length - 1;
    const share = (calls: number) => Math.floor(calls / instances());
    const remaining = Math.max(share(notice.remaining) - Math.max(underWay, 0), 0);
    // The answer was under way for long: a later call has been told already how many are left.
    if (quota !== null && nth < quota.nth) quota.remaining = Math.min(quota.remaining, remaining);
    else {
      const max = share(notice.max ?? limit?.max ?? notice.remaining);
      quota = { max, remaining, resetAt: now + resetInMs, nth };
    }
  }

  function remember(at: number): void {
    slots.push({ at, nth: 0 });
  }

  /** @param reserved slots that were taken for calls which have not begun: they count as free */
  function snapshot(now: number, reserved = 0) {
    forget(now);
    const oldest = Math.min(...slots.map((slot) => slot.at));
    const freedAt = limit && Number.isFinite(oldest) ? oldest + limit.windowMs : null;
    const used = slots.length - reserved;
    return {
      limit,
      used,
      remaining: quota
        ? Math.max(quota.remaining + reserved, 0)
        : limit
          ? Math.max(limit.max - used, 0)
          : null,
      resetsAt: quota?.resetAt ?? freedAt,
    };
  }

  function forget(now: number): void {
    const horizon = limit?.windowMs ?? 0;
    slots = slots.filter((slot) => slot.at + horizon > now);
    if (!quota || now < quota.resetAt) return;
    // Lyceum counts anew from its reset, so earlier calls no longer count.
    const { resetAt } = quota;
    slots = slots.filter((slot) => slot.at > resetAt);
    quota = null;
  }

  return { waitMs, take, settle, giveBack, learn, remember, snapshot };
}

function kept(max: number, percent: number): number {
  return Math.floor((max * percent) / 100);
}
