// Each alert's condition is drawn once on the real service with the emulator, and no alert fires while all is well.
import { setTimeout as sleep } from "node:timers/promises";
import SqliteDatabase from "better-sqlite3";
import { afterAll, expect, test } from "vitest";
import { systemClock } from "../../src/lib/clock.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { startReceiver, status } from "../support/receiver.ts";
import { image, type Service, type ServiceOptions, startService, until } from "../support/service.ts";
import { evaluate, type Scrape } from "./evaluate.ts";
import { readExposition } from "./exposition.ts";
import { rules } from "./rules.ts";

/** Scrapes lie this far apart for the rules, whatever time passes here. */
const STEP_MS = 5 * 60_000;

interface Cause {
  cause(service: Service): Promise<unknown>;
  /** Repeats while the alert is waited for. */
  again?(service: Service): Promise<unknown>;
  options?: ServiceOptions;
}

/** Lists the alerts that fire after a cause; scrapes before and after, until the wanted alert is among them. */
async function fired(
  { cause, again = async () => {}, options = {} }: Cause,
  wanted: string | null = null,
): Promise<string[]> {
  const metrics = createMetrics({ process: true });
  await using service = await startService({
    ...options,
    surroundings: { ...options.surroundings, metrics },
  });
  const before = await scrape(service, 0);
  await cause(service);
  // Prometheus misses what a series had at its first scrape, so a rate needs a second one after the cause.
  const between = await scrape(service, STEP_MS / 2);
  await again(service);
  const firing = async () => {
    const scrapes = [before, between, await scrape(service, STEP_MS)];
    return rules.filter(({ expr }) => evaluate(expr, scrapes).length > 0).map(({ alert }) => alert);
  };
  if (wanted === null) return await firing();
  return await until(wanted, async () => {
    const alerts = await firing();
    return alerts.includes(wanted) && alerts;
  });
}

/** With what Prometheus adds: whether the service could be scraped. */
async function scrape(service: Service, atMs: number): Promise<Scrape> {
  const text = await service.nobody.get("/metrics").then(
    (answer) => answer.text,
    () => null,
  );
  const up = { metric: "up", labels: { job: "proctor" }, value: text === null ? 0 : 1 };
  return { atMs, series: [up, ...readExposition(text ?? "")] };
}

function inDatabase(service: Service, sql: string): void {
  const database = new SqliteDatabase(service.database);
  database.exec(sql);
  database.close();
}

const openReaders: SqliteDatabase.Database[] = [];
afterAll(() => {
  for (const reader of openReaders) reader.close();
});

const many = (run: object, count = 12) => Array.from({ length: count }, () => run);
const private_ = { WEBHOOK_ALLOW_PRIVATE: "127.0.0.0/8" };

async function endAll(service: Service, runs: object[]): Promise<void> {
  await service.ended((await service.submit({ runs })).id);
}

/** Submits what Lyceum cannot be reached for. */
async function cutOff(service: Service): Promise<void> {
  service.network.lyceumIsUp = false;
  await service.submit({ runs: many(image()) });
  await until("the pause", async () => (await service.status()).lyceum.starts.state === "paused");
}

/** Submissions, whatever they are answered. */
async function submitMany(service: Service): Promise<void> {
  for (let count = 0; count < 12; count++) await service.ann.post("/v1/jobs", { runs: [image()] });
}

async function subscribe(service: Service, code: number): Promise<void> {
  const receiver = await startReceiver(status(code));
  const answer = await service.ann.post("/v1/webhooks", { url: receiver.url, types: ["run.*"] });
  expect(answer.status).toBe(201);
  await endAll(service, many(image()));
  await until("a delivery", () => receiver.received.length >= 1);
}

/** Moves one service's clock. */
const laterBy = { ms: 0 };

const causes: Record<string, Cause> = {
  ProctorDown: { cause: (service) => service.stop() },
  ProctorRowsWithoutWakeup: {
    async cause(service) {
      await cutOff(service);
      const database = new SqliteDatabase(service.database);
      database.pragma("ignore_check_constraints = on");
      database.exec("update jobs set ready_at = null, due_at = null");
      database.close();
    },
  },
  ProctorFaults: {
    async cause(service) {
      const database = new SqliteDatabase(service.database);
      database.exec("alter table runs rename to runs_elsewhere");
      database.close();
      await service.ann.get("/v1/runs/run_01j0000000000000000000000a");
    },
  },
  ProctorCredentialsRefused: {
    async cause(service) {
      service.emulator.setChaos({ gateway: [{ routes: "starts", answer: "credits" }] });
      await service.submit({ runs: [image()] });
    },
  },
  ProctorStartsPaused: { cause: cutOff },
  ProctorQueueStuck: { cause: cutOff },
  ProctorRunsWaitLong: {
    async cause(service) {
      await cutOff(service);
      inDatabase(service, "update jobs set created_at = created_at - 7 * 3600 * 1000");
    },
  },
  ProctorStartsThrottled: {
    cause: (service) => endAll(service, many(image())),
    options: { chaos: { throttle: { starts: { next: 8 } }, retry_in: 50 } },
  },
  ProctorStartsInDoubt: {
    cause: (service) => endAll(service, many(image(), 6)),
    options: { chaos: { answer: { lost: { next: 6 } } } },
  },
  ProctorOrphans: {
    cause: (service) => endAll(service, [image("delay=12s")]),
    options: {
      settings: { IN_DOUBT_AFTER: "1s" },
      chaos: { answer: { lost: { next: 1 } }, hidden: { list: 1, history: 1 } },
    },
  },
  ProctorLyceumFailing: {
    async cause(service) {
      await cutOff(service);
      // The probes go on to read, so this series grows from one scrape to the next.
      const read = '{endpoint="GET /workloads/list",outcome="none"}';
      await until("a probe", async () => (await service.nobody.get("/metrics")).text.includes(read));
    },
  },
  ProctorCallbacksMissed: {
    cause: (service) => endAll(service, many(image())),
    options: { chaos: { callback: { lost: 1 } } },
  },
  ProctorCallbacksRejected: {
    async cause(service) {
      for (let count = 0; count < 12; count++)
        await service.nobody.post("/callbacks/lyceum/exe_01j0000000000000000000000a/wrong", {});
    },
  },
  ProctorEndsLearnedLate: {
    cause: (service) => endAll(service, many(image())),
    options: { emulator: { now: () => Date.now() - 10 * 60_000 } },
  },
  ProctorEndsNotInTime: {
    cause: (service) => endAll(service, [image()]),
    options: { emulator: { now: () => Date.now() - 10 * 60_000 } },
  },
  ProctorHttpErrors: {
    async cause(service) {
      await cutOff(service);
      await submitMany(service);
    },
    again: submitMany,
    options: { surroundings: { maxQueued: 12 } },
  },
  ProctorWebhooksFailing: { cause: (service) => subscribe(service, 500), options: { settings: private_ } },
  ProctorWebhookBacklog: {
    async cause(service) {
      await subscribe(service, 500);
      inDatabase(
        service,
        `insert into deliveries select 'more' || n, webhook_id, destination, url, job_id, event_id, type, payload, state, reason,
          due_at + 3600000, attempts, first_tried_at, log, created_at, ended_at, claimed_by
        from (select * from deliveries where due_at is not null limit 1),
          (with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < 1001) select n from numbers)`,
      );
    },
    options: { settings: private_ },
  },
  ProctorLogOfDatabaseGrows: {
    async cause(service) {
      // A reader keeps its view, so that every page that is written stays in the log.
      const reader = new SqliteDatabase(service.database);
      openReaders.push(reader);
      reader.exec("begin");
      reader.prepare("select count(*) from jobs").get();
      inDatabase(
        service,
        "create table filler as with recursive numbers (n) as " +
          "(select 1 union all select n + 1 from numbers where n < 70) select zeroblob(1024 * 1024) as bytes from numbers",
      );
    },
  },
  ProctorBackupsFail: {
    cause: (service) => service.restart(),
    options: { settings: { BACKUP_DIR: "/dev/null/backups" } },
  },
  ProctorBackupOld: {
    async cause() {
      laterBy.ms = 4 * 3_600_000;
    },
    options: {
      settings: { BACKUP_DIR: "/dev/null/backups" },
      surroundings: { clock: { ...systemClock, now: () => Date.now() + laterBy.ms } },
    },
  },
  ProctorStrays: {
    cause: async (service) =>
      inDatabase(
        service,
        `insert into strays (execution_id, lyceum_execution_id, raw_status, found_at, due_at)
        values ('exe_01j0000000000000000000000a', 'lost', 'running', 0, 4102444800000)`,
      ),
  },
  ProctorWebhookDisabled: { cause: (service) => subscribe(service, 410), options: { settings: private_ } },
  ProctorEventLoopBlocked: {
    cause: async () => {},
    // Each scrape begins a new measurement, and a block is one of its samples: several outweigh the quiet ones.
    async again() {
      for (let block = 0; block < 8; block++) {
        for (const end = Date.now() + 700; Date.now() < end; );
        await sleep(20);
      }
    },
  },
  ProctorRunsFailing: { cause: (service) => endAll(service, many(image("exit=1"))) },
};

test("every alert has a cause here", () => {
  expect(Object.keys(causes).sort()).toEqual(rules.map(({ alert }) => alert).sort());
});

test("no alert fires while all is well", async () => {
  expect(await fired({ cause: (service) => endAll(service, many(image())) })).toEqual([]);
});

test.concurrent.each(Object.entries(causes))("%s fires under its cause", async (alert, cause) => {
  expect(await fired(cause, alert)).toContain(alert);
});
