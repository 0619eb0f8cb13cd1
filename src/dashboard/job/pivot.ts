// A job's results laid out by two of its matrix values.
import type { ResultRow } from "../../client/client.ts";

export interface Measure {
  title: string;
  of: (row: ResultRow) => number | null;
  best: "low" | "high";
}

export const measures: Record<string, Measure> = {
  duration: { title: "duration", of: ({ duration_ms }) => duration_ms, best: "low" },
  cost: { title: "cost", of: ({ cost }) => cost, best: "low" },
  gpu: { title: "GPU use", of: ({ gpu_utilization_percent }) => gpu_utilization_percent, best: "high" },
  energy: { title: "energy", of: ({ energy_wh }) => energy_wh, best: "low" },
  code: { title: "return code", of: ({ return_code }) => return_code, best: "low" },
};

export interface Cell {
  x: string;
  y: string;
  /** The mean of its rows' values; null without one. */
  value: number | null;
  rows: ResultRow[];
}

export interface Pivot {
  xs: string[];
  ys: string[];
  /** Row by row: `cells[y][x]`. */
  cells: Cell[][];
  least: number;
  most: number;
  best: Cell | null;
}

export function axesOf(rows: ResultRow[]): string[] {
  const values = new Map<string, Set<string>>();
  for (const { matrix } of rows)
    for (const [name, value] of Object.entries(matrix ?? {}))
      values.set(name, (values.get(name) ?? new Set()).add(value));
  return [...values].sort(([, a], [, b]) => b.size - a.size).map(([name]) => name);
}

export function pivot(rows: ResultRow[], x: string, y: string | null, { of, best }: Measure): Pivot {
  const xs = valuesOf(rows, x);
  const ys = y === null ? [""] : valuesOf(rows, y);
  const groups = Map.groupBy(rows, ({ matrix }) =>
    JSON.stringify([matrix?.[x] ?? "", y === null ? "" : (matrix?.[y] ?? "")]),
  );
  const cells = ys.map((atY) =>
    xs.map((atX): Cell => {
      const own = groups.get(JSON.stringify([atX, atY])) ?? [];
      // A retried run takes the place of the one that it repeats.
      const repeated = new Set(own.map(({ retry_of }) => retry_of));
      const last = own.filter(({ run_id }) => !repeated.has(run_id));
      return { x: atX, y: atY, value: mean(last.map(of)), rows: last };
    }),
  );
  const known = cells
    .flat()
    .filter(({ value, rows: own }) => value !== null && own.some(({ status }) => status === "succeeded"));
  const values = cells.flat().flatMap(({ value }) => (value === null ? [] : [value]));
  const sorted = known.toSorted((a, b) => ((a.value ?? 0) - (b.value ?? 0)) * (best === "low" ? 1 : -1));
  return {
    xs,
    ys,
    cells,
    least: values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
    most: values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY),
    best: sorted[0] ?? null,
  };
}

/** Numbers by size, other words as they came. */
function valuesOf(rows: ResultRow[], name: string): string[] {
  const values = [...new Set(rows.flatMap(({ matrix }) => matrix?.[name] ?? []))];
  const areNumbers = values.every((value) => value.trim() !== "" && Number.isFinite(Number(value)));
  return areNumbers ? values.sort((a, b) => Number(a) - Number(b)) : values;
}

function mean(values: (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}
