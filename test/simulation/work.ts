// One execution at the simulated Lyceum. Times are the simulation's monotonic milliseconds.

export interface Work {
  id: string;
  /** Our execution id, out of `file_name`. */
  marker: string;
  isSelection: boolean;
  /** A GPU selection tries one type of hardware in a sub-job, which costs twice as much as is written at the parent. */
  hasSubJob: boolean;
  callbackUrl: string | null;
  takenAt: number;
  startsAt: number;
  endsAt: number;
  timeoutMs: number;
  word: string;
  returnCode: number | null;
  /** Before this nothing shows it. */
  visibleAt: number;
  /** The record says `running` for a while after the end, and the history lags too. */
  recordAt: number;
  historyAt: number;
  /** Neither hidden at first nor late at the end. */
  isPrompt: boolean;
  hasMetrics: boolean;
  /** Its record never tells of an end, and its word says nothing. */
  isEndless: boolean;
  /** After the end the last line of the log is this late. */
  tailMs: number;
  /** The final cost. The record shows 0 until the bill is written, `billMs` after the end. */
  bill: number;
  billMs: number;
  /** The record never shows the bill. */
  isBilledInHistory: boolean;
  abortAskedAt: number | null;
}

/** Lyceum's clock is its own. */
const EPOCH = Date.UTC(2026, 0, 1, 0, 0, 3);
export const iso = (at: number) => new Date(EPOCH + at).toISOString();
export const epochSeconds = (at: number) => Math.ceil((EPOCH + at) / 1_000);

export const subJobOf = ({ id }: Pick<Work, "id">) => `${id}s`;

/** Lines that every execution prints. */
export const PRINTED = 3;
export const printedLine = ({ id }: Work, line: number) => `line ${line} out of ${id}`;

export function printedBy(work: Work): string {
  return Array.from({ length: PRINTED }, (_, line) => `${printedLine(work, line)}\n`).join("");
}

export type End = [word: string, returnCode: number | null];

export const ENDS: End[] = [
  ["completed", 0],
  ["completed", 0],
  ["completed", 0],
  ["failed", 1],
  ["system failure", null],
  ["timeout", null],
];

/** Words that nobody has documented; their times and return codes tell. */
export const ODD_ENDS: End[] = [
  ["finished", 0],
  ["Done", 0],
  ["exited", 3],
  ["terminated_by_node", 137],
];

/** The end in one of Lyceum's documented words; an endless execution counts as failed. */
export function fateOf({ word, returnCode, isEndless }: Work): string {
  if (isEndless) return "failed";
  if (!hasOddWord({ word })) return word.replace(" ", "_");
  return returnCode === 0 ? "completed" : "failed";
}

export function hasOddWord({ word }: Pick<Work, "word">): boolean {
  return ODD_ENDS.some(([odd]) => odd === word);
}
