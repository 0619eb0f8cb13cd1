// No execution is started twice, or after it was given up, and no run has two of them alive.
import type { Books } from "../books.ts";
import { demand } from "../invariants.ts";
import type { Lyceum } from "../lyceum.ts";
import type { Work } from "../work.ts";

interface StartsOptions {
  books: Books;
  lyceum: Lyceum;
  /** Executions that a run had when its cancellation was acknowledged. */
  cancelled: ReadonlyMap<string, ReadonlySet<string>>;
}

/** A sign of life is 7 s old at most as a start leaves, and nobody gives up its host before 15 s. */
const HARMLESS_DELAY_MS = 8_000;

export function createStarts({ books, lyceum, cancelled }: StartsOptions) {
  const sent = new Set<string>();
  /** Starts whose host stood still after its last look at the fence, which cannot stop them any more. */
  const late = new Set<string>();

  return {
    /** @returns false: the start left so late that others may have given it up, and its place in the limits */
    sent(marker: string, lateMs: number): boolean {
      const execution = books.execution(marker);
      demand(execution !== null, () => `${marker} is started without standing in the books`);
      demand(!sent.has(marker), () => `${marker} is started twice`);
      sent.add(marker);
      const known = cancelled.get(execution?.run_id ?? "");
      demand(known?.has(marker) ?? true, () => `${marker} is started after its run was cancelled`);
      if (lateMs > HARMLESS_DELAY_MS) {
        late.add(marker);
        const isFollowed = execution?.phase === "submitting" || execution?.phase === "orphan";
        demand(isFollowed, () => `${marker} is started late, and nobody looks for it`);
        return false;
      }
      const isGivenUp = execution?.phase !== "submitting" || execution.in_doubt_at !== null;
      demand(!isGivenUp, () => `${marker} is started after it was given up (${execution?.status})`);
      return true;
    },
    taken(work: Work): void {
      const started = books.execution(work.marker);
      // A late start of a lost execution is an orphan at once, whatever was started in its place.
      if (late.has(work.marker) && started?.status === "lost") return;
      for (const other of lyceum.works) {
        if (other === work || !lyceum.isLive(other)) continue;
        const entry = books.execution(other.marker);
        const isDouble = entry !== null && entry.run_id === started?.run_id && entry.status !== "lost";
        demand(!isDouble, () => `${started?.run_id} runs twice at Lyceum: ${other.id} and ${work.id}`);
      }
    },
  };
}
