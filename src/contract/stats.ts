// Series for charts, as the API shows them.
import { z } from "zod";
import { count, time } from "./field.ts";
import { shownAs } from "./query.ts";

const MOMENT = "must be an ISO 8601 time such as 2026-01-31T12:00:00Z";
const moment = z.iso
  .datetime({ offset: true, error: MOMENT })
  .transform((value) => Date.parse(value))
  .meta({ override: ({ jsonSchema }) => shownAs(jsonSchema, { type: "string", format: "date-time" }) });

export const statsQuery = z.strictObject({
  from: moment
    .optional()
    .describe("First moment, inclusive; default: 60 steps of a minute, or 24 of an hour, before `to`."),
  to: moment.optional().describe("Last moment, exclusive; default: now. At most 10,000 steps after `from`."),
  step: z.enum(["1m", "1h"]).default("1m").describe("Minutes are kept for a day, hours for RETENTION."),
});

export const rejections = z
  .object({
    missing_token: count,
    wrong_token: count,
    unknown_path: count.describe("Beside the path of PUBLIC_URL."),
  })
  .meta({ id: "Rejections", description: "Rejected callbacks by reason." });

export const timeToKnowledge = z
  .object({
    p50_ms: count,
    p95_ms: count,
    p99_ms: count,
    samples: count,
    share_in_time: z.number().min(0).max(1).describe("Share known within POLL_INTERVAL_MAX."),
  })
  .meta({
    id: "TimeToKnowledge",
    description: "From the end at Lyceum, by Lyceum's clock, to Proctor's knowledge of it.",
    examples: [{ p50_ms: 140, p95_ms: 420, p99_ms: 900, samples: 88, share_in_time: 1 }],
  });
export type TimeToKnowledgeView = z.output<typeof timeToKnowledge>;

const example = {
  at: "2026-01-31T12:00:00.000Z",
  waiting: 12,
  alive: 4,
  started: 3,
  ended: { succeeded: 2, failed: 1, cancelled: 0 },
  callbacks: {
    ...{ received: 3, early: 0, duplicate: 1, late: 0, missed: 0 },
    rejected: { missing_token: 0, wrong_token: 0, unknown_path: 0 },
  },
  time_to_knowledge: { p50_ms: 140, p95_ms: 420, p99_ms: 420, samples: 3, share_in_time: 1 },
  cost: { billed: 0.4, estimated: 0.02 },
  lyceum_calls: { total: 14, failed: 0 },
};

const point = z
  .object({
    at: time.describe("The beginning of the step."),
    waiting: count
      .nullable()
      .describe("Runs that waited for a start, as counted last; null before the first count."),
    alive: count.nullable().describe("Runs with an execution submitted or alive at Lyceum, as counted last."),
    started: count.describe("Executions that Lyceum accepted."),
    ended: z
      .object({ succeeded: count, failed: count, cancelled: count })
      .meta({ id: "EndedRuns", description: "Runs that became terminal." }),
    callbacks: z
      .object({
        received: count,
        early: count,
        duplicate: count,
        late: count,
        missed: count.describe("Ends that polling found."),
        rejected: rejections,
      })
      .meta({ id: "CallbackCounts" }),
    time_to_knowledge: timeToKnowledge.nullable().describe("Null where no end became known."),
    cost: z
      .object({ billed: z.number(), estimated: z.number() })
      .meta({ id: "CostByTime" })
      .nullable()
      .describe(
        "Credits by the time they became known; a bill that replaces an estimate lowers `estimated`, below 0 if need be. Null to submitters: see `GET /v1/usage`.",
      ),
    lyceum_calls: z
      .object({
        total: count,
        failed: count.describe("Without an answer, or answered with 429 or 5xx."),
      })
      .meta({ id: "LyceumCalls" }),
  })
  .meta({ id: "StatsPoint", examples: [example] });
export type StatsPointView = z.output<typeof point>;

export const stats = z
  .object({
    from: time,
    to: time,
    step: z.enum(["1m", "1h"]),
    data: z.array(point).describe("One point per step, oldest first, without gaps."),
    next_cursor: z.null(),
  })
  .meta({
    id: "Stats",
    examples: [
      { from: example.at, to: "2026-01-31T12:01:00.000Z", step: "1m", data: [example], next_cursor: null },
    ],
  });
export type StatsView = z.output<typeof stats>;
