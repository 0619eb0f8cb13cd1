// A start's place in the shared limits, from the fact that ends its request.
import type { Fact } from "../domain/state-machine/fact.ts";
import type { Tx } from "../store/db/transaction.ts";
import { settlePlaces } from "../store/places.ts";
import type { Context } from "./context.ts";

interface Told {
  fact: Fact;
  executionId: string | null;
}

/** A place that Lyceum may have counted is kept for a window from now; any other place is free. */
export async function settleStartPlaces(
  { sharedLimits }: Context,
  { db, now }: Tx,
  told: readonly Told[],
): Promise<void> {
  if (sharedLimits === null) return;
  const { limit } = sharedLimits;
  const idsOf = (wanted: boolean) =>
    told.flatMap(({ fact, executionId }) =>
      executionId !== null && isSent(fact) === wanted ? [executionId] : [],
    );
  await settlePlaces(db, idsOf(true), limit === null ? null : now + limit.windowMs);
  await settlePlaces(db, idsOf(false), null);
}

function isSent(fact: Fact): boolean | null {
  switch (fact.type) {
    case "accepted":
      return fact.found ? null : true;
    case "refused":
    case "outcome_unknown":
    case "unavailable":
      return true;
    case "not_taken":
      return fact.isSent ?? true;
    default:
      return null;
  }
}
