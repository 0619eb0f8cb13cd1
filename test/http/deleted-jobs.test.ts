// A deleted job is hidden from every read while its rows are still being removed, and no row outlives the removal.
import SqliteDatabase from "better-sqlite3";
import { afterAll, beforeAll, expect, it } from "vitest";
import { callbackToken } from "../../src/domain/callback-token.ts";
import {
  callbackSecret,
  image,
  type RunView,
  type Service,
  startService,
  until,
} from "../support/service.ts";

let service: Service;
let deleted: RunView;
let kept: RunView;
/** The paths that name something of a job. */
const pathsOf = ({ id, job_id, executions }: RunView) => [
  ...["", "/runs", "/results", "/events", "/deliveries"].map((path) => `/v1/jobs/${job_id}${path}`),
  ...["", "/spec", "/output", "/timing", "/metrics", "/logs"].map((path) => `/v1/runs/${id}${path}`),
  ...["", "/callbacks"].map((path) => `/v1/executions/${executions[0]?.id}${path}`),
];
const lists = [
  "/v1/jobs",
  "/v1/runs",
  `/v1/runs?status=failed`,
  "/v1/callbacks",
  "/v1/events?types=run.failed",
];
const json = { Accept: "application/json" };

beforeAll(async () => {
  service = await startService();
  [deleted, kept] = [await service.run(image("exit=1")), await service.run(image("exit=1"))];
  for (const { executions } of [deleted, kept]) {
    const id = executions[0]?.id ?? "";
    await service.nobody.post(`/callbacks/lyceum/${id}/${callbackToken(callbackSecret, id)}`, {});
  }
  // The worker that removes the rows sleeps: nobody wakes it for a mark that is written from outside.
  const database = new SqliteDatabase(service.database);
  database.prepare("update jobs set deleted_at = 1 where id = ?").run(deleted.job_id);
  database.close();
});
afterAll(() => service.close());

it("the paths of a deleted job, its runs and executions answer 404", async () => {
  for (const path of pathsOf(kept))
    expect((await service.ann.call("GET", path, undefined, json)).status, path).toBe(200);
  for (const path of pathsOf(deleted))
    expect((await service.ann.call("GET", path, undefined, json)).status, path).toBe(404);
  expect((await service.ann.call("DELETE", `/v1/jobs/${deleted.job_id}`)).status).toBe(404);
});

it("lists show nothing of a deleted job", async () => {
  for (const who of [service.ann, service.admin])
    for (const path of lists) {
      const { text, body } = await who.call("GET", path, undefined, json);
      expect(body.data.length, path).toBeGreaterThan(0);
      for (const id of [deleted.job_id, deleted.id, deleted.executions[0]?.id])
        expect(text, path).not.toContain(id);
    }
});

it("a restart continues to remove the rows of a deleted job", async () => {
  const tables = ["jobs where id", "runs where job_id", "specs where job_id", "executions where job_id"];
  const rows = (jobId: string) =>
    [...tables, "events where job_id"].map(
      (table) => service.rows(`select count(*) as n from ${table} = ?`, jobId)[0].n,
    );
  expect(rows(deleted.job_id).every((count) => count > 0)).toBe(true);
  await service.restart();
  await until("the removal", async () => rows(deleted.job_id).every((count) => count === 0));
  expect(rows(kept.job_id).every((count) => count > 0)).toBe(true);
});
