// The state of the service in the API.
import { z } from "zod";
import { pauseReasons } from "../domain/start-pause.ts";
import { count, time } from "./field.ts";
import { rejections, timeToKnowledge } from "./stats.ts";

const delay = z
  .object({ p50: z.number(), p95: z.number(), samples: count })
  .meta({ id: "DetectionDelay" })
  .nullable()
  .describe("Milliseconds from the end at Lyceum until Proctor knew it, over the last ends.");

const group = z
  .object({
    limit: z
      .object({ max: count, window_ms: count })
      .meta({ id: "RateLimit" })
      .nullable()
      .describe("Maximum number of calls per window; null without a limit."),
    used: count,
    remaining: count.nullable(),
    resets_at: time.nullable().describe("When used calls begin to be available again."),
    paused_until: time.nullable().describe("End of a pause that Lyceum asked for."),
    waiting: count.describe("Calls waiting for the limit."),
    running: count.describe("Calls in progress."),
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
    accepting: z.boolean().describe("False while the service shuts down."),
    queue: z
      .object({
        depth: count.describe("Runs waiting to start."),
        live: count.describe("Executions submitted or alive at Lyceum."),
        collecting: count.describe("Executions whose artifacts are being fetched."),
        in_doubt: count.describe("Starts without an answer that are being searched for."),
        oldest_waiting_at: time.nullable(),
        without_wakeup: count.describe(
          "Unfinished rows without a due time: more than 0 is a bug of Proctor.",
        ),
      })
      .meta({ id: "QueueState" }),
    callbacks: z
      .object({
        mode: z.enum(["callbacks", "polling_only"]).describe("`polling_only`: PUBLIC_URL is not set."),
        health: z.enum(["healthy", "unproven", "absent"]),
        judged: count.describe("Number of recent ends that determine the health."),
        recently_missed: count.describe("Recent ends without a callback."),
        detection_delay_ms: z.object({ callback: delay, poll: delay }).meta({ id: "DetectionDelays" }),
        received: count,
        early: count.describe("Callbacks that arrived before the answer to the start."),
        duplicate: count,
        late: count.describe("Callbacks that arrived after the end was known."),
        missed: count.describe("Ends found by polling without a callback."),
        rejected: count.describe("Callbacks with a wrong token or path."),
        rejected_by: rejections,
        in_inbox: count.describe("Acknowledged and not filed yet; counted up to 10,000."),
        oldest_in_inbox_at: time.nullable(),
      })
      .meta({ id: "CallbackState" }),
    time_to_knowledge: timeToKnowledge.nullable().describe("Over the last day; null without ends."),
    lyceum: z
      .object({
        circuit: z
          .object({
            state: z
              .string()
              .meta({ description: "Circuit breaker; `closed` while Lyceum answers.", examples: ["closed"] }),
            failures: count.describe("Failures in a row."),
            retry_at: time.nullable(),
          })
          .meta({ id: "CircuitState" }),
        starts: z
          .object({
            state: z.enum(["flowing", "paused"]),
            reason: z.enum(pauseReasons).nullable(),
            detail: z.string().nullable().describe("Reason for the pause in words."),
            since: time.nullable(),
            next_probe_at: time
              .nullable()
              .describe("Time of the next trial start; now while a trial is running or no run waits."),
          })
          .meta({
            id: "StartsState",
            description:
              "After a start without a proper answer all starts pause; single starts are then tried at growing intervals.",
          }),
        limits: z
          .object({ execution: group, read: group, billing: group, auth: group })
          .meta({ id: "LimitStates" }),
      })
      .meta({ id: "LyceumState" }),
    database: z
      .object({
        kind: z.enum(["sqlite", "postgres"]),
        bytes: count,
        wal_bytes: count.nullable().describe("SQLite's write-ahead log; null on PostgreSQL."),
      })
      .meta({ id: "DatabaseState" }),
    instances: z
      .array(
        z
          .object({
            id: z.string(),
            version: z.string(),
            started_at: time,
            last_seen_at: time.describe("Its last sign of life; 15 s without one end its claims."),
            clock_offset_ms: z.int().describe("How far its machine's clock is ahead of the database's."),
          })
          .meta({ id: "Instance" }),
      )
      .describe("The processes that share the database; with SQLite there is one."),
    checks: z
      .array(
        z
          .object({
            check: z.string().meta({ description: "What is checked.", examples: ["queue"] }),
            ok: z.boolean(),
            detail: z.string(),
            hint: z.string().nullable().describe("The way out of a problem."),
          })
          .meta({ id: "Check" }),
      )
      .describe("Checks that the service makes of itself; `proctor doctor` adds those from outside."),
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
          rejected_by: { missing_token: 0, wrong_token: 0, unknown_path: 0 },
          ...{ in_inbox: 0, oldest_in_inbox_at: null },
        },
        time_to_knowledge: { p50_ms: 140, p95_ms: 420, p99_ms: 900, samples: 88, share_in_time: 1 },
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
        database: { kind: "sqlite", bytes: 1_048_576, wal_bytes: 65_536 },
        instances: [
          {
            id: "proctor-0-1-5f1c9a0b",
            version: "1.0.0",
            started_at: "2026-01-31T11:00:00.000Z",
            last_seen_at: "2026-01-31T12:00:00.000Z",
            clock_offset_ms: 0,
          },
        ],
        checks: [{ check: "queue", ok: true, detail: "12 waiting, 0 in doubt", hint: null }],
      },
    ],
  });
export type StatusView = z.output<typeof status>;
export type LimitView = z.output<typeof group>;
export type InstanceView = StatusView["instances"][number];
