// How many runs wait for their start, and whether more may: a queue without a bound would fill the disk.

export interface Backlog {
  /** No more may wait. It is counted now and then, and so a few may come too early or too late. */
  isFull(): boolean;
  /** So many were taken in. */
  took(runs: number): void;
  /** So many wait, by the database. */
  counted(queued: number): void;
}

export function createBacklog(most: number = MAX_QUEUED): Backlog {
  let waiting = 0;
  return {
    isFull: () => waiting >= most,
    took(runs) {
      waiting += runs;
    },
    counted(queued) {
      waiting = queued;
    },
  };
}

/** A hundred of the largest jobs; at Lyceum's documented limit, starts for more than a year. */
const MAX_QUEUED = 1_000_000;
