// Figures as text.
import { type Figure, type Goal, isReached } from "./measure.ts";

export function table(figures: Figure[]): string {
  return aligned(rowsOf(figures))
    .map((row) => `  ${row.join("  ").trimEnd()}`)
    .join("\n");
}

/** A Markdown list, whose lines are shorter than a table's: our figure, then its counterparts. */
export function markdownList(figures: Figure[]): string {
  const groups = Map.groupBy(rowsOf(figures).slice(1), ([name, ours]) => `- **${name}**: ${ours}`);
  return [...groups].flatMap(([head, rows]) => [head, ...rows.map(comparison)]).join("\n");
}

function comparison([, , beside, ratio, spread, goal, verdict]: string[]): string {
  const measured = beside === "" ? `from ${spread}` : `beside ${beside}: ${ratio} (${spread})`;
  return `  - ${measured}${goal === "" ? "" : `, goal ${goal}, ${verdict}`}`;
}

/** The figures that have a goal. */
export function goalTable(figures: Figure[]): string {
  const rows = figures.filter((figure) => figure.goal !== null).map(rowOf);
  const lines = rows.map(([name = "", ours = "", beside = "", ratio = "", , goal = "", verdict = ""]) => {
    const against = /\(([^)]*)\)$/.exec(beside)?.[1];
    return [
      against === undefined ? name : `${name}, of ${against}`,
      ratio === "" ? ours : ratio,
      goal,
      verdict,
    ];
  });
  const [head = [], ...body] = aligned([["figure", "measured", "goal", ""], ...lines]);
  const rule = head.map((cell) => "-".repeat(Math.max(cell.length, 3)));
  return [head, rule, ...body].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** A paragraph in lines of at most 118 columns. */
export function wrapped(text: string): string {
  return text.replaceAll(/(\S.{0,117})(?:\s+|$)/g, "$1\n").trimEnd();
}

function rowsOf(figures: Figure[]): string[][] {
  return [["figure", "ours", "beside", "ratio", "spread", "goal", ""], ...figures.map(rowOf)];
}

function aligned(rows: string[][]): string[][] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)));
}

function rowOf(figure: Figure): string[] {
  const { name, unit, ours, theirs, against, ratio, goal } = figure;
  const text = (value: number) => `${short(value)} ${unit}`.trim();
  return [
    name,
    text(ours),
    theirs === null ? "" : `${text(theirs)} (${against})`,
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

/** Three significant digits. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString("en", { maximumFractionDigits: digits });
}
