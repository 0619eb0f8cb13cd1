// The figures that every table of runs shows.
import type { Run } from "../../client/client.ts";
import { count, credits, duration } from "../format.ts";
import type { Column } from "./table.ts";

export const runFigures: Column<Pick<Run, "attempts" | "duration_ms" | "cost">>[] = [
  {
    title: "Attempts",
    numeric: true,
    minor: true,
    by: ({ attempts }) => attempts,
    show: ({ attempts }) => count(attempts),
  },
  {
    title: "Duration",
    numeric: true,
    by: ({ duration_ms }) => duration_ms,
    show: ({ duration_ms }) => duration(duration_ms),
  },
  { title: "Cost", numeric: true, by: ({ cost }) => cost, show: ({ cost }) => credits(cost) },
];
