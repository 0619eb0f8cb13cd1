// Switches for the life of a run and its callbacks. A directive may set each of them for a single run.
import * as z from "zod";
import { duration, effects } from "./values.ts";

export const bodyProfiles = ["empty", "minimal", "record", "camel", "nested", "form", "garbage"] as const;
export type BodyProfile = (typeof bodyProfiles)[number];

export const life = {
  pending: duration.describe("time as pending before it starts"),
  starting: duration.describe("time as starting"),
  delay: duration.describe("running time of a pretended run; added to the running time of real Python"),
  finishing: duration.describe("from end_time to finish_time, while the status still says running"),
  status: z
    .string()
    .regex(/^[\w ]{1,64}$/)
    .nullable()
    .describe("the word to end in, whatever the work came to; any word, `finished` too"),
  exit: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .describe("exit code of a pretended run; other than 0 ends it as failed"),
  lines: z.int().min(0).max(100_000).describe("further lines that a pretended run prints at its start"),
  timeout: z
    .enum(["timeout", "failed", "aborted", "system_failure"])
    .describe("the word of a run that ran past its timeout"),
  stop: z.enum(["cancelled", "completed"]).describe("the word of a run that was stopped gracefully"),
  lag: duration.describe("from the answer to abort or stop until it takes effect"),
  abort: effects(["404", "409"]).describe(
    "abort and stop answered 404 or 409 although the run goes on; nothing is stopped then",
  ),
  answer: effects(["refused", "lost", "stall", "500", "502", "unreadable"]).describe(
    "start answer: refused = 500 and not accepted; all others come after acceptance: connection destroyed, " +
      "held back for `stall`, 500, 502, 200 with HTML; for more see gateway",
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
};

export const lifeDefaults = {
  pending: 0,
  starting: 0,
  delay: 0,
  finishing: 0,
  status: null,
  exit: 0,
  lines: 0,
  timeout: "timeout",
  stop: "cancelled",
  lag: 0,
  abort: {},
  answer: {},
  stall: 30_000,
  callback: {},
  lateness: 1000,
  body: "minimal",
  retries: 3,
  backoff: 200,
} as const;
