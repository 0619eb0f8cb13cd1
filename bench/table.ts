// Figures as text, one line each.
import { type Figure, type Goal, isReached } from "./measure.ts";

export function table(figures: Figure[]): string {
  const rows = [["figure", "ours", "theirs", "ratio", "spread", "goal", ""], ...figures.map(rowOf)];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "));
  return lines.map((line) => `  ${line.trimEnd()}`).join("\n");
}

function rowOf(figure: Figure): string[] {
  const { name, unit, ours, theirs, against, ratio, goal } = figure;
  return [
    name,
    `${short(ours)} ${unit}`,
    theirs === null ? "" : `${short(theirs)} ${unit} (${against})`,
    theirs === null ? "" : short(ratio.median),
    `${short(ratio.low)} to ${short(ratio.high)}`,
    goalText(goal),
    { true: "reached", false: "missed", null: "" }[String(isReached(figure))] ?? "",
  ];
}

export function goalText(goal: Goal | null): string {
  if (goal?.atLeast !== undefined) return `≥ ${goal.atLeast}`;
  return goal?.atMost !== undefined ? `≤ ${goal.atMost}` : "";
}

/** Three digits that count. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString("en", { maximumFractionDigits: digits });
}
