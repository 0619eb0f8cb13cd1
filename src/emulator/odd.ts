// Special values of the switch `fields`, marked with @: raw JSON text, or text that is not JSON.
import type { Execution } from "./execution.ts";
import type { Ledger } from "./ledger.ts";
import type { OddName } from "./switches/documents.ts";

/** Undefined: the field is left out. */
export function oddValue(
  name: OddName,
  ledger: Ledger,
  execution: Execution | undefined,
): string | undefined {
  return makers[name](ledger, execution);
}

const text = (value: string | undefined) => JSON.stringify(value ?? "");

const makers: Record<OddName, (ledger: Ledger, execution?: Execution) => string | undefined> = {
  absent: () => undefined,
  nan: () => "NaN",
  infinity: () => "Infinity",
  huge: () => "9007199254740993",
  nul: () => '"a\\u0000b"',
  surrogate: () => '"a\\ud800b"',
  dots: () => text("a.".repeat(90_000)),
  blanks: () => text(" ".repeat(1_000_000)),
  deep: () => "[".repeat(2_000_000) + "]".repeat(2_000_000),
  empties: () => `[{}${",{}".repeat(999_999)}]`,
  oversize: () => text("x".repeat(17 * 1024 * 1024)),
  request: (_, execution) => text(JSON.stringify(execution?.start.body)),
  neighbour: (ledger, execution) => text(execution && ledger.neighbour(execution)?.id),
  marker: () => text(`exe_${"0".repeat(26)}`),
};
