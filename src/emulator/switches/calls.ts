// Switches for the API as a whole: limits, tokens, outages, the history.
import * as z from "zod";
import { chance, duration, effects } from "./values.ts";

const timeForms = ["seconds", "ms", "date", "iso", "epoch", "epoch_ms", "absurd", "none"] as const;
export type TimeForm = (typeof timeForms)[number];

export const calls = {
  throttle: effects(["starts", "others"]).describe("429 before acceptance"),
  retry_after: z
    .enum(timeForms)
    .describe(
      "form of Retry-After on a 429: seconds or milliseconds to wait, HTTP date, ISO date, seconds or milliseconds " +
        "since 1970, 9999999999, none",
    ),
  retry_in: duration.describe("what Retry-After says"),
  limit: z
    .strictObject({ starts: z.int().min(0), window: duration })
    .nullable()
    .describe(
      "so many starts in a fixed window, with X-RateLimit-* headers, then 429; for other values of the headers see " +
        "gateway",
    ),
  billing_limit: z
    .strictObject({ calls: z.int().min(0), window: duration })
    .nullable()
    .describe(
      "the same for calls of /billing; without it Lyceum's documented 100 an hour hold at the caller",
    ),
  reset: z.enum(timeForms).describe("form of X-RateLimit-Reset, as for retry_after"),
  read: effects(["500", "502", "503", "reset", "html"]).describe(
    "instead of the answer to any call but starts and auth; nothing is done then; for more see gateway",
  ),
  unauthorized: chance.describe("401 although the token is good"),
  token_exp: z
    .enum(["true", "past", "absent"])
    .describe("exp of an issued token, which is good until its true end all the same"),
  slow: duration.describe("wait before every call is looked at"),
  history: z
    .strictObject({
      page: z.int().min(1),
      order: z.enum(["newest", "oldest", "unsorted"]),
      foreign: z.int().min(0).max(100_000),
      arriving: z.int().min(0).max(1000),
      unreadable: z.int().min(0),
    })
    .partial()
    .describe(
      "/billing/history: page = rows of a page at most, whatever was asked for; order; foreign = so many newer rows " +
        "of others; arriving = so many more before each further call, so that rows shift; unreadable = an unreadable " +
        "row after each so many",
    ),
  machine_type: z
    .enum(["ignored", "honoured"])
    .describe("request field machine_type as the hardware profile"),
  unknown_fields: z.enum(["ignored", "rejected"]).describe("request fields that the reference does not name"),
  command: z.enum(["required", "optional"]).describe("docker_run_cmd of an image start"),
  sub_jobs: z.enum(["unlisted", "listed"]).describe("sub-jobs of a GPU selection in /workloads/list"),
  log_total: z.enum(["returned", "matching"]).describe("what total of a log counts"),
};

export const callsDefaults = {
  throttle: {},
  retry_after: "seconds",
  retry_in: 1000,
  limit: null,
  billing_limit: null,
  reset: "epoch",
  read: {},
  unauthorized: 0,
  token_exp: "true",
  slow: 0,
  history: {},
  machine_type: "ignored",
  unknown_fields: "ignored",
  command: "required",
  sub_jobs: "unlisted",
  log_total: "returned",
} as const;
