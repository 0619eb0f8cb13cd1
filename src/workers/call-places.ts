// Places of logins and of reads of the history in the limits that several instances keep together. Both calls are rare,
// so a transaction for each costs little. Lyceum documents no limit on other reads: they take no place.
import { type Bucket, documentedLimits } from "../lyceum/priorities.ts";
import type { LimitNotice } from "../lyceum/rate-limit-headers.ts";
import type { Place, SharedPlaces } from "../lyceum/shared-places.ts";
import type { Context } from "../orchestration/context.ts";
import { type PlaceLevel, readPlaces } from "../store/place-levels.ts";
import { lockPlaces, saveQuota, settlePlaces, takePlaces } from "../store/places.ts";

const limits = new Map(Object.entries({ auth: documentedLimits.auth, billing: documentedLimits.billing }));

/** Null: the only process keeps all limits in memory. */
export function createCallPlaces({
  store,
  report,
  sharedLimits,
}: Pick<Context, "store" | "report" | "sharedLimits">): SharedPlaces | null {
  if (sharedLimits === null) return null;
  let taken = 0;

  async function take(bucket: Bucket, keptPercent: number): Promise<Place | { waitMs: number }> {
    const limit = limits.get(bucket) ?? null;
    const id = `${store.instance}.${++taken}`;
    const isTaken = store.write(async ({ db, now }) => {
      const request = { bucket, limit, concurrency: Number.POSITIVE_INFINITY, now, keptPercent };
      const { free, nextAt } = await lockPlaces(db, { ...request, isPatient: true });
      if (free < 1) return { waitMs: Math.max(nextAt - now, 1) };
      await takePlaces(db, bucket, [id], now);
      return { end: (isSent: boolean, notice: LimitNotice | null) => end(bucket, id, isSent, notice) };
    });
    return isTaken.catch((error) => {
      report.fault("call-places", error);
      return { waitMs: AFTER_ERROR_MS };
    });
  }

  /** A place whose end could not be noted counts as long as its call could have lasted. */
  async function end(bucket: Bucket, id: string, isSent: boolean, notice: LimitNotice | null): Promise<void> {
    const windowMs = limits.get(bucket)?.windowMs ?? 0;
    await store
      .write(async ({ db, now }) => {
        if (notice !== null) await saveQuota(db, bucket, notice, now);
        await settlePlaces(db, [id], isSent ? now + windowMs : null);
      })
      .catch((error) => report.fault("call-places", error));
  }

  return { take: (bucket, keptPercent) => (limits.has(bucket) ? take(bucket, keptPercent) : null) };
}

const AFTER_ERROR_MS = 1_000;

/** By bucket; empty where the only process keeps all limits in memory. */
export async function readSharedLevels(
  { store, sharedLimits }: Pick<Context, "store" | "sharedLimits">,
  now: number,
): Promise<Record<string, PlaceLevel>> {
  if (sharedLimits === null) return {};
  return readPlaces(store.db, { execution: sharedLimits.limit, ...Object.fromEntries(limits) }, now);
}
