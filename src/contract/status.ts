// The state of the service as the API shows it to operators.
import { z } from "zod";
import { pauseReasons } from "../domain/start-pause.ts";
import { count, time } from "./field.ts";

const delay = z
  .object({ p50: z.number(), p95: z.number(), samples: count })
  .nullable()
  .describe("Milliseconds from Lyceum's end to our knowledge, over the last ends.");

const group = z
  .object({
    limit: z
      .object({ max: count, window_ms: count })
      .nullable()
      .describe("Calls that may be made in a window; null without a limit."),
    used: count,
    remaining: count.nullable(),
    resets_at: time.nullable().describe("When used-up calls begin to come back."),
    paused_until: time.nullable().describe("Lyceum asked for a pause."),
    waiting: count.describe("Calls that wait for their turn."),
    running: count.describe("Calls under way."),
  })
  .meta({ id: "LimitState" });

const idle = {
  limit: null,
  used: 37,
  remaining: null,
  resets_at: null,
  paused_until: null,
  waiting: 0,
  running: 1,
};

export const status = z
  .object({
    version: z.string(),
    accepting: z.boolean().describe("False while it is about to stop."),
    queue: z.object({
      depth: count.describe("Runs that wait for a start."),
      live: count.describe("Executions submitted or alive at Lyceum."),
      collecting: count.describe("Executions of which artifacts are being fetched."),
      in_doubt: count.describe("Submissions without an answer, which are being searched for."),
      oldest_waiting_at: time.nullable(),
      without_wakeup: count.describe("Rows that nothing will look at: anything but 0 is a fault of Proctor."),
    }),
    callbacks: z.object({
      mode: z.enum(["callbacks", "polling_only"]).describe("`polling_only`: there is no PUBLIC_URL to call."),
      health: z.enum(["healthy", "unproven", "absent"]),
      judged: count.describe("The last ends that the health is judged by."),
      recently_missed: count.describe("How many of them had no callback."),
      detection_delay_ms: z.object({ callback: delay, poll: delay }),
      received: count,
      early: count.describe("Before the submission's answer was known."),
      duplicate: count,
      late: count.describe("After the end was known."),
      missed: count.describe("Polling found the end, and no callback came."),
      rejected: count.describe("With a wrong token, or at a wrong path."),
    }),
    lyceum: z.object({
      circuit: z.object({
        state: z.string().meta({ description: "`closed` while Lyceum answers.", examples: ["closed"] }),
        failures: count.describe("In a row."),
        retry_at: time.nullable(),
      }),
      starts: z
        .object({
          state: z.enum(["flowing", "paused"]),
          reason: z.enum(pauseReasons).nullable(),
          detail: z.string().nullable().describe("Why, in words."),
          since: time.nullable(),
          next_probe_at: time
            .nullable()
            .describe("When Lyceum is tried next; now, while that is under way or no run waits."),
        })
        .describe(
          "All starts pause after one that Lyceum did not answer properly; then one at a time is tried, at growing distance.",
        ),
      limits: z.object({ execution: group, read: group, billing: group, auth: group }),
    }),
    database: z.object({ kind: z.enum(["sqlite", "postgres"]), bytes: count }),
    instances: z
      .array(
        z.object({
          id: z.string(),
          version: z.string(),
          started_at: time,
          last_seen_at: time.describe("Its last sign of life; 15 s without one end its claims."),
          clock_offset_ms: z.int().describe("How far its machine's clock is ahead of the database's."),
        }),
      )
      .describe("The processes that share the database; with SQLite there is one."),
  })
  .meta({
    id: "Status",
    examples: [
      {
        version: "1.0.0",
        accepting: true,
        queue: {
          depth: 12,
          live: 4,
          collecting: 1,
          in_doubt: 0,
          oldest_waiting_at: "2026-01-31T12:00:00.000Z",
          without_wakeup: 0,
        },
        callbacks: {
          mode: "callbacks",
          health: "healthy",
          judged: 20,
          recently_missed: 0,
          detection_delay_ms: { callback: { p50: 140, p95: 420, samples: 88 }, poll: null },
          ...{ received: 88, early: 2, duplicate: 3, late: 1, missed: 0, rejected: 0 },
        },
        lyceum: {
          circuit: { state: "closed", failures: 0, retry_at: null },
          starts: { state: "flowing", reason: null, detail: null, since: null, next_probe_at: null },
          limits: {
            execution: { ...idle, limit: { max: 100, window_ms: 3_600_000 }, remaining: 63 },
            read: idle,
            billing: idle,
            auth: idle,
          },
        },
        database: { kind: "sqlite", bytes: 1_048_576 },
        instances: [
          {
            id: "proctor-0-1-5f1c9a0b",
            version: "1.0.0",
            started_at: "2026-01-31T11:00:00.000Z",
            last_seen_at: "2026-01-31T12:00:00.000Z",
            clock_offset_ms: 0,
          },
        ],
      },
    ],
  });
export type StatusView = z.output<typeof status>;
export type LimitView = z.output<typeof group>;
export type InstanceView = StatusView["instances"][number];
