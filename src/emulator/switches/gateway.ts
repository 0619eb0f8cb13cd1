// The switch for a proxy that answers instead of Lyceum, or changes its answers.
import * as z from "zod";
import { chance } from "./values.ts";

export const routeGroups = [
  "starts",
  "records",
  "lists",
  "history",
  "artifacts",
  "cancel",
  "auth",
  "health",
  "account",
  "all",
] as const;
export type RouteGroup = (typeof routeGroups)[number];

export const formNames = [
  "own",
  "login",
  "403",
  "404",
  "405",
  "413",
  "500",
  "502",
  "503",
  "504",
  "backend",
  "page",
  "empty",
  "stranger",
  "unavailable",
  "credits",
  "detail",
  "error",
  "reset",
  "silence",
  "envelope",
  "executions",
  "results",
  "bom",
  "cut",
] as const;
export type FormName = (typeof formNames)[number];

const routes = z.enum(routeGroups);
const rule = z.strictObject({
  routes: z.union([z.array(routes).min(1), routes]),
  answer: z
    .union([
      z.enum(formNames),
      z.strictObject({
        status: z.int().min(200).max(599).optional(),
        type: z.string().optional(),
        body: z.string(),
      }),
    ])
    .default("own"),
  headers: z.record(z.string(), z.string()).default({}),
  when: chance.default(1),
  deed: z.enum(["undone", "done"]).default("undone"),
});

export type GatewayRule = z.output<typeof rule>;

export const gateway = z
  .array(rule)
  .describe(
    "a list of rules, the first that fits counts: {routes, answer, headers, when, deed}. routes: records = record " +
      "and status, artifacts = timing, metrics, logs, cancel = abort, stop, delete, account = whatever has no other " +
      "group. answer, in Lyceum's place: login = 302 to a login page; 403 to 504 = an HTML page of that status; " +
      "backend = 404, `default backend - 404`; page, empty, stranger = 200 with HTML, nothing, {ok: true}; reset, " +
      "silence. In its words: unavailable = 503, credits = 402, each with detail; detail, error = 200 with an error " +
      "inside. Its own answer: own; envelope = within {status, data, message}; executions, results = within an object " +
      "under that name; bom = after a byte order mark; cut = its first half. Or {status, type, body}, where <answer> " +
      "in the body stands for its own answer. deed: done = the call takes effect although it is answered in this way",
  );
