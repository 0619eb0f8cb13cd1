// The holder of each execution, seen from the commits alone: a claim moves only the wake-up, to the end of a lease. The
// column that names the owner is not believed.
import type { Agenda } from "../agenda.ts";
import type { Books, OpenEntry } from "../books.ts";

/** No proper wake-up of a watched or ended execution is further away, and every lease is longer. */
const MAX_WAIT_MS = 2 * 60_000;

export function createLeases({ agenda, books }: { agenda: Agenda; books: Books }) {
  let known = new Map<string, OpenEntry>();
  /** The instance that has claimed an execution. */
  const holders = new Map<string, string>();

  function isClaim(instance: string, before: OpenEntry | undefined, after: OpenEntry): boolean {
    if (before === undefined) return after.phase === "submitting";
    if (after.due_at <= agenda.now() + MAX_WAIT_MS) return false;
    if (after.version === before.version) return after.due_at > before.due_at;
    // The end is written with the lease of its collection, news of a watched execution with that of its watcher.
    const isHandedOver = after.phase === "collecting" && before.phase !== "collecting";
    return isHandedOver || (after.phase === "watching" && holders.get(after.id) === instance);
  }

  return {
    committed(instance: string): void {
      const open = new Map(books.open().map((entry) => [entry.id, entry]));
      for (const [id, after] of open) {
        const before = known.get(id);
        if (before?.due_at === after.due_at) continue;
        if (isClaim(instance, before, after)) holders.set(id, instance);
        else holders.delete(id);
      }
      for (const id of holders.keys()) if (!open.has(id)) holders.delete(id);
      known = open;
    },
    /** Executions that would lie until the lease of that instance ends. */
    heldBy: (instance: string): string[] =>
      [...holders].flatMap(([id, holder]) => {
        const isAhead = (known.get(id)?.due_at ?? 0) > agenda.now();
        return holder === instance && isAhead ? [id] : [];
      }),
  };
}
