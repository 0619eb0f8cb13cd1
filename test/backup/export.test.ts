// Jobs that leave the database: as lines of JSON before retention deletes them, and as capsules that open without a service.
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { exportJobs, openCapsule, writeCapsule } from "../../src/app/capsule.ts";
import { createExporter } from "../../src/app/export-files.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { idSource } from "../../src/lib/id.ts";
import { openStore } from "../../src/store/store.ts";
import { client } from "../http/client.ts";
import { image, startService, until } from "../support/service.ts";

function folderOf() {
  const path = mkdtempSync(join(tmpdir(), "proctor-export-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

const secret = "canary-of-an-environment";

it("a job is on disk before retention deletes it", async () => {
  using folder = folderOf();
  let aheadMs = 0;
  const clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
  await using service = await startService({
    settings: { EXPORT_DIR: folder.path, RETENTION: "1h" },
    surroundings: { clock },
  });
  const run = await service.run(image("", { env: { TOKEN: secret } }), { name: "kept" });
  aheadMs = 2 * 3_600_000;
  await service.restart();
  await until("the deletion", async () => (await service.ann.get(`/v1/jobs/${run.job_id}`)).status === 404);
  const [name = ""] = readdirSync(folder.path);
  expect(name).toMatch(/^jobs-\d{4}-\d\d-\d\d\.ndjson$/);
  const path = join(folder.path, name);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const text = readFileSync(path, "utf8");
  expect(text).not.toContain(secret);
  const [line] = text
    .trimEnd()
    .split("\n")
    .map((one) => JSON.parse(one));
  expect(line).toMatchObject({
    job: { id: run.job_id, name: "kept", key: "ann", status: "succeeded" },
    runs: [{ id: run.id, executions: [{ status: "completed" }], artifacts: { logs: { state: "stored" } } }],
  });
  expect(line.events.at(0).type).toBe("job.created");
  expect(line.events.at(-1).type).toBe("job.succeeded");
});

it("after a line that was cut short the next job begins a line of its own", async () => {
  using folder = folderOf();
  await using service = await startService();
  const run = await service.run(image());
  const store = openStore({ kind: "sqlite", path: service.database }, systemClock, idSource(systemClock));
  const exporter = createExporter(store.db, folder.path, () => 0);
  await exporter([run.job_id]);
  const path = join(folder.path, "jobs-1970-01-01.ndjson");
  appendFileSync(path, '{"job":{"id":"job_');
  await exporter([run.job_id]);
  await store.close();
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  expect(lines).toHaveLength(3);
  expect(JSON.parse(lines[2] ?? "")).toEqual(JSON.parse(lines[0] ?? ""));
});

it("a capsule shows its job as the service did, without secrets, and takes no change", async () => {
  using folder = folderOf();
  await using service = await startService();
  const run = await service.run(image("", { env: { TOKEN: secret } }), { name: "carried" });
  await service.run(image());
  const database = { kind: "sqlite", path: service.database } as const;
  let text = "";
  const write = async (piece: string) => {
    text += piece;
  };
  await exportJobs(database, [], write);
  expect(text.trimEnd().split("\n")).toHaveLength(2);
  const file = join(folder.path, "job.proctor");
  await writeCapsule(database, run.job_id, file);
  await expect(writeCapsule(database, run.job_id, file)).rejects.toThrow("exists already");
  await expect(writeCapsule(database, "job_none", `${file}2`)).rejects.toThrow("has no job");
  expect(readdirSync(folder.path)).toEqual(["job.proctor"]);
  const before = readFileSync(file);
  expect(before.includes(secret)).toBe(false);

  const asked = service.emulator.calls().length;
  const capsule = await openCapsule(file, 0);
  const [base = "", oneTimeKey = ""] = capsule.url.split("/#/sign-in/");
  const signIn = await client(() => base, null, []).post("/session", { key: oneTimeKey });
  expect(signIn.status).toBe(204);
  const headers = { Cookie: signIn.headers.get("set-cookie")?.split(";")[0] ?? "", Origin: base };
  const viewer = client(() => base, null, []);
  const paths = [
    `/v1/jobs/${run.job_id}/runs`,
    `/v1/runs/${run.id}`,
    `/v1/runs/${run.id}/output`,
    `/v1/runs/${run.id}/logs`,
    `/v1/runs/${run.id}/spec`,
    `/v1/jobs/${run.job_id}/results`,
  ];
  for (const path of paths) {
    const shown = await viewer.get(path, headers);
    expect([path, shown.status, shown.body]).toEqual([path, 200, (await service.reader.get(path)).body]);
  }
  expect((await viewer.get("/v1/jobs", headers)).body.data).toHaveLength(1);
  expect((await viewer.get("/")).text).toContain('<div id="app">');
  expect((await viewer.post(`/v1/runs/${run.id}/retry`, {}, headers)).status).toBe(403);
  await capsule.close();
  expect(readFileSync(file).equals(before)).toBe(true);
  expect(service.emulator.calls()).toHaveLength(asked);
});
