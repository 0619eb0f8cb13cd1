// Nothing is aborted while it is wanted, and nothing that is somebody else's.
import type { Books } from "../books.ts";
import type { Call } from "../call.ts";
import { demand } from "../invariants.ts";
import type { Lyceum } from "../lyceum.ts";
import type { Heard } from "../network.ts";

interface AbortsOptions {
  books: Books;
  lyceum: Lyceum;
  now(): number;
  lostAt: ReadonlyMap<string, number>;
}

export function createAborts({ books, lyceum, now, lostAt }: AbortsOptions) {
  /** When Lyceum's own record last showed that an execution lives, by Lyceum's ids. */
  const seenAliveAt = new Map<string, number>();

  return {
    heard({ call, answer }: Heard): void {
      if (call.route !== "record" || answer === null || !answer.isTrue || answer.status !== 200) return;
      seenAliveAt.set(call.id, now());
    },
    sent({ route, id, path }: Call): void {
      if (route !== "end") return;
      demand(!id.startsWith("F"), () => `${path} is sent to somebody else's execution`);
      const work = lyceum.works.find((one) => one.id === id);
      const execution = work === undefined ? null : books.execution(work.marker);
      if (work === undefined || execution === null) return;
      if (books.run(execution.run_id)?.cancel_mode != null) return;
      // An ending without effect, on what is over.
      if (!lyceum.isLive(work)) return;
      demand(execution.status === "lost", () => `${id} is aborted while ${execution.run_id} waits for it`);
      const isRead = (seenAliveAt.get(id) ?? 0) >= (lostAt.get(execution.id) ?? 0);
      demand(isRead, () => `${id} is aborted without a look at its record`);
    },
  };
}
