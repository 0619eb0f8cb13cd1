// No job has more executions alive at Lyceum than its `max_parallel`, whoever started them.
import type { Books } from "../books.ts";
import { demand } from "../invariants.ts";
import type { Lyceum } from "../lyceum.ts";
import type { Work } from "../work.ts";

export function createParallels({ books, lyceum }: { books: Books; lyceum: Lyceum }) {
  /** A lost execution, which may be alive all the same, is not waited for. */
  function jobOf({ marker }: Work): string | null {
    const execution = books.execution(marker);
    return execution === null || execution.status === "lost" ? null : execution.job_id;
  }

  return {
    taken(work: Work): void {
      const jobId = jobOf(work);
      const job = books.jobs().find(({ id }) => id === jobId);
      if (job === undefined || job.max_parallel === null) return;
      const alive = lyceum.works.filter((other) => lyceum.isLive(other) && jobOf(other) === jobId);
      demand(alive.length <= job.max_parallel, () => `${job.id} has ${alive.length} executions at once`);
    },
  };
}
