// Every switch of the emulator: what it means, its default, and how its value is written. Lyceum documents none
// of this behaviour; each switch stands for something that a client has to survive.
import * as z from "zod";

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const dayMs = 24 * units.h;

/** Milliseconds as a number, or text with a unit: `500ms`, `1.5s`, `2m`, `1h`; a day at most. */
const duration = z
  .union([z.number(), z.string().regex(/^\d+(\.\d+)?(ms|s|m|h)$/)])
  .transform((value) => (typeof value === "number" ? value : Number.parseFloat(value) * unitOf(value)))
  .pipe(z.number().min(0).max(dayMs));

function unitOf(text: string): number {
  return units[text.replace(/[\d.]/g, "") as keyof typeof units];
}

const likelihood = z.number().min(0).max(1);

/** A probability from 0 to 1, or `{ next: n }`: surely, for the next n occasions. */
const chance = z.union([likelihood, z.strictObject({ next: z.int().min(0) })]);

export type Chance = z.output<typeof chance>;

/** Effect by name to its chance, e.g. `{ lost: 0.1, double: 1 }`. */
function effects<const Name extends string>(names: readonly Name[]) {
  return z.partialRecord(z.enum(names), chance);
}

/** Effects that are a property of a run and not of a moment, so that `next` has no meaning. */
function traits<const Name extends string>(names: readonly Name[]) {
  return z.partialRecord(z.enum(names), likelihood);
}

export const bodyProfiles = ["empty", "minimal", "record", "camel", "nested", "form", "garbage"] as const;
export type BodyProfile = (typeof bodyProfiles)[number];

const perRun = {
  pending: duration.describe("time as pending before it starts"),
  starting: duration.describe("time as starting"),
  delay: duration.describe("running time of a pretended run; added to the running time of real Python"),
  finishing: duration.describe("from end_time to finish_time, while the status still says running"),
  status: z
    .string()
    .regex(/^[\w ]{1,64}$/)
    .nullable()
    .describe("the word to end in, whatever the work came to"),
  exit: z.int().min(0).max(255).describe("exit code of a pretended run; other than 0 ends it as failed"),
  timeout: z
    .enum(["timeout", "failed", "aborted", "system_failure"])
    .describe("the word of a run that ran past its timeout"),
  stop: z.enum(["cancelled", "completed"]).describe("the word of a run that was stopped gracefully"),
  lag: duration.describe("from the answer to abort or stop until it takes effect"),
  bill: z.enum(["given", "withheld"]).describe("whether records and history say what the run cost"),
  output: z
    .enum(["told", "combined", "withheld"])
    .describe("whether records tell stdout and stderr, both in combined_output alone, or nothing"),
  words: z
    .enum(["plain", "capitals", "spaces", "unknown", "old"])
    .describe("how states are spelled wherever they are shown"),
  answer: effects(["refused", "lost", "stall", "500", "502", "unreadable"]).describe(
    "start answer: refused = 500 and not accepted; all others come after acceptance: connection destroyed, " +
      "held back for `stall`, 500, 502, 200 with HTML",
  ),
  stall: duration.describe("how long `answer: stall` holds the answer back"),
  callback: effects(["lost", "double", "eager", "early", "late"]).describe(
    "eager = before the start is answered; early = before the record is terminal (each takes the place of the " +
      "callback at the end, or of one of two with double); late = after `lateness`",
  ),
  lateness: duration.describe("how long `callback: late` waits"),
  body: z.enum([...bodyProfiles, "any"]).describe("body of callbacks; any = drawn for each run"),
  retries: z.int().min(0).max(20).describe("further attempts of a callback that was not answered 2xx"),
  backoff: duration.describe("wait before the first further attempt; doubles"),
  logs: traits(["late", "double"]).describe(
    "late = the first half shows `log_lag` after the end, the rest after twice that; double = repeated entries",
  ),
  log_lag: duration.describe("see logs"),
  log_order: z.enum(["oldest", "newest", "shuffled"]).describe("which entry of a log comes first"),
  hidden: traits(["list", "history"]).describe("runs missing from /workloads/list or /billing/history"),
  missing: duration.describe("how long after the start everything about the run answers 404"),
};

const general = {
  throttle: effects(["starts", "others"]).describe("429 before acceptance"),
  retry_after: z.enum(["seconds", "date", "none"]).describe("form of Retry-After on a 429"),
  retry_in: duration.describe("what Retry-After says"),
  limit: z
    .strictObject({ starts: z.int().min(0), window: duration })
    .nullable()
    .describe("so many starts in a fixed window, with X-RateLimit-* headers, then 429"),
  read: effects(["500", "502", "503", "reset", "html"]).describe(
    "instead of the answer to any call but starts and auth; nothing is done then",
  ),
  unauthorized: chance.describe("401 although the token is good"),
  slow: duration.describe("wait before every call is looked at"),
  machine_type: z
    .enum(["ignored", "honoured"])
    .describe("request field machine_type as the hardware profile"),
  unknown_fields: z.enum(["ignored", "rejected"]).describe("request fields that the reference does not name"),
  command: z.enum(["required", "optional"]).describe("docker_run_cmd of an image start"),
  sub_jobs: z.enum(["unlisted", "listed"]).describe("sub-jobs of a GPU selection in /workloads/list"),
  log_total: z.enum(["returned", "matching"]).describe("what total of a log counts"),
};

/** Any of the switches that a directive may set for one run. Unknown names are refused. */
export const runChangesSchema = z.strictObject(perRun).partial();

/** Any of the switches. Unknown names are refused. */
export const changesSchema = z.strictObject({ ...perRun, ...general }).partial();

const allSchema = z.strictObject({ ...perRun, ...general });

/** Switches to change, as written in options, `setChaos` and `POST /__emulator/chaos`. */
export type Changes = z.input<typeof changesSchema>;
export type RunChanges = z.output<typeof runChangesSchema>;
export type Switches = z.output<typeof allSchema>;

/** Switches whose value maps effects to chances, so that a directive may write `callback=lost,double:0.5`. */
export const effectSwitches: ReadonlySet<string> = new Set(["answer", "callback", "logs", "hidden"]);

/** A well-behaved Lyceum that takes no time. */
export const defaults: Switches = {
  pending: 0,
  starting: 0,
  delay: 0,
  finishing: 0,
  status: null,
  exit: 0,
  timeout: "timeout",
  stop: "cancelled",
  lag: 0,
  bill: "given",
  output: "told",
  words: "plain",
  answer: {},
  stall: 30_000,
  callback: {},
  lateness: 1000,
  body: "minimal",
  retries: 3,
  backoff: 200,
  logs: {},
  log_lag: 1000,
  log_order: "oldest",
  hidden: {},
  missing: 0,
  throttle: {},
  retry_after: "seconds",
  retry_in: 1000,
  limit: null,
  read: {},
  unauthorized: 0,
  slow: 0,
  machine_type: "ignored",
  unknown_fields: "ignored",
  command: "required",
  sub_jobs: "unlisted",
  log_total: "returned",
};
