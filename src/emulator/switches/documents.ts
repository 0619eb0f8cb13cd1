// Switches for the documents about a run. A directive may set each of them for a single run.
import * as z from "zod";
import { chance, duration, traits } from "./values.ts";

const documentNames = [
  "start",
  "status",
  "selection",
  "record",
  "timing",
  "metrics",
  "logs",
  "list",
  "history",
  "abort",
  "login",
] as const;
export type DocumentName = (typeof documentNames)[number];

/** Values that are too long or depend on the run; `odd.ts` makes them. */
export const oddNames = [
  "absent",
  "nan",
  "infinity",
  "huge",
  "nul",
  "surrogate",
  "dots",
  "blanks",
  "deep",
  "empties",
  "oversize",
  "request",
  "neighbour",
  "marker",
] as const;
export type OddName = (typeof oddNames)[number];

const fieldName = z.string().regex(new RegExp(`^(${documentNames.join("|")})\\.\\w+$`));
const fieldValue = z
  .string()
  .refine((text) => !text.startsWith("@") || (oddNames as readonly string[]).includes(text.slice(1)), {
    error: `an odd value is one of ${oddNames.map((name) => `@${name}`).join(" ")}`,
  });

export const documents = {
  words: z
    .enum(["plain", "capitals", "spaces", "unknown", "old"])
    .describe("how states are spelled wherever they are shown"),
  end: z
    .enum(["told", "withheld"])
    .describe("whether an ended run shows end_time, finish_time and return_code, or its word alone"),
  output: z
    .enum(["told", "combined", "withheld"])
    .describe("whether records tell stdout and stderr, both in combined_output alone, or nothing"),
  bill: z
    .enum(["given", "withheld", "late", "history"])
    .describe(
      "what a run cost: given = at its end; late = 0 until `bill_lag` after it; history = in the history alone, " +
        "the record says 0; withheld = nowhere",
    ),
  bill_lag: duration.describe("see bill"),
  fields: z
    .record(fieldName, fieldValue)
    .describe(
      'what stands in place of a field, as raw text: {"record.result": "9007199254740993", "start.execution_id": ' +
        '"\\"..\\"", "history.billed": "1e400"}. Before the point the document, one of ' +
        `${documentNames.join(", ")} (list and history: each row). Odd values by name: @absent = the field is left ` +
        "out; @nan, @infinity = bare; @huge = an integer beyond 2^53; @nul, @surrogate = a text with NUL or a lone " +
        "surrogate; @dots = `a.` 90,000 times; @blanks = a million blanks; @deep = 4 million brackets; @empties = a " +
        "million empty objects; @oversize = 17 MiB of text; @request = the run's start request, secrets included; " +
        "@neighbour = the id of another run; @marker = a file_name that bears another run's marker",
    ),
  fields_when: chance.describe("which documents `fields` changes"),
  mixed_up: chance.describe("the record and status of another run in place of its own"),
  selection: z
    .enum(["status", "parent", "jobs", "wordless"])
    .describe(
      "status of a GPU selection: {status, sub_jobs}; {parent: {status}, sub_jobs}; {jobs}; or sub_jobs without a " +
        "status of the whole",
    ),
  timing: z
    .enum(["nested", "flat"])
    .describe("timing as an object of phases, or as start_time, end_time, duration"),
  artifact_lag: duration.describe(
    "until so long after the end, timing and metrics answer as `artifact_gap` says",
  ),
  artifact_gap: z
    .enum(["empty", "detail", "error"])
    .describe("200 with no values in it; with {detail}; with {error}"),
  logs: traits(["late", "double"]).describe(
    "late = the first half shows `log_lag` after the end, the rest after twice that; double = repeated entries",
  ),
  live_logs: z
    .enum(["shown", "withheld"])
    .describe("whether the log of a live run shows its lines so far, or nothing until the end"),
  log_lag: duration.describe("see logs and log_tail"),
  log_tail: z.int().min(0).describe("so many last lines show only `log_lag` after the end"),
  log_order: z.enum(["oldest", "newest", "shuffled"]).describe("which entry of a log comes first"),
  log_time: z
    .enum(["zulu", "bare", "micro", "nano", "loki"])
    .describe("timestamps: ISO; without a zone; with micro- or nanoseconds; nanoseconds since 1970 as text"),
  log_limit: z.enum(["honoured", "ignored"]).describe("whether the limit asked for bounds a log"),
  list_lag: duration.describe(
    "how long after its end /workloads/list still shows a run as running; 24h: for good",
  ),
  hidden: traits(["list", "history"]).describe("runs missing from /workloads/list or /billing/history"),
  missing: duration.describe("how long after the start everything about the run answers 404"),
};

export const documentsDefaults = {
  words: "plain",
  end: "told",
  output: "told",
  bill: "given",
  bill_lag: 5000,
  fields: {},
  fields_when: 1,
  mixed_up: 0,
  selection: "status",
  timing: "nested",
  artifact_lag: 0,
  artifact_gap: "empty",
  logs: {},
  live_logs: "shown",
  log_lag: 1000,
  log_tail: 0,
  log_order: "oldest",
  log_time: "zulu",
  log_limit: "honoured",
  list_lag: 0,
  hidden: {},
  missing: 0,
} as const;
