// Limits the number of queued runs: a queue without a bound would fill the disk.

export interface Backlog {
  /** Counted at intervals, so that the limit is not exact. */
  isFull(): boolean;
  took(runs: number): void;
  counted(queued: number): void;
}

export function createBacklog(max: number = MAX_QUEUED): Backlog {
  let waiting = 0;
  return {
    isFull: () => waiting >= max,
    took(runs) {
      waiting += runs;
    },
    counted(queued) {
      waiting = queued;
    },
  };
}

/** One hundred of the largest jobs: more than a year of starts at Lyceum's documented limit. */
const MAX_QUEUED = 1_000_000;
