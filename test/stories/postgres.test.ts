// The main job on PostgreSQL: the same service, the same stories' parts, another database.
import { expect, test } from "vitest";
import { createDatabase } from "../support/databases.ts";
import { image, startService, until } from "../support/service.ts";
import { silentWay } from "../support/silence.ts";

test("on PostgreSQL runs of every kind go from submission to artifacts, over a restart", async () => {
  const { service, remove } = await startOnPostgres();
  const { id } = await service.submit({
    runs: [
      { kind: "python", code: "import os; print(os.environ['A'])", matrix: { A: ["1", "2"] } },
      image("delay=300", { execution_type: "gpu.a100" }),
      image("status=failed exit=3"),
      { kind: "compose", compose_file_code: "services: {}\n" },
      { kind: "gpu_selection", code: "print(3)" },
    ],
  });
  await service.restart();
  const runs = await service.ended(id);
  expect(runs.map((run) => run.status)).toEqual([
    "succeeded",
    "succeeded",
    "succeeded",
    "failed",
    "succeeded",
    "succeeded",
  ]);
  const output = await service.ann.get(`/v1/runs/${runs[1]?.id}/output`);
  expect(output.body).toMatchObject({ stdout: "2\n", return_code: 0 });
  expect(await service.status()).toMatchObject({
    database: { kind: "postgres" },
    instances: [{ clock_offset_ms: expect.any(Number) }],
    queue: { without_wakeup: 0 },
  });
  await remove();
});

test("on PostgreSQL an end whose callback comes while nobody listens is found after the restart", async () => {
  const { service, remove } = await startOnPostgres();
  // Two callbacks make them count as healthy: a check without one then waits for the timeout of the run.
  await service.ended((await service.submit({ runs: [image(), image(), image()] })).id);
  const { id } = await service.submit({ runs: [image("delay=700", { execution_type: "gpu.a100" })] });
  await service.soleRun(id, (run) => run.lyceum_execution_id !== null);
  await service.stop();
  await until(
    "a callback that nobody takes",
    () => service.emulator.executions().at(-1)?.callbacks[0]?.problem,
  );
  await service.restart();
  // By a poll, or by the callback that is sent again.
  expect(await service.ended(id)).toMatchObject([{ status: "succeeded" }]);
  await remove();
});

test("on PostgreSQL a database that has fallen silent does not keep the service from stopping", async () => {
  const { service, way, remove } = await startOnPostgres({ SHUTDOWN_GRACE: "2s" });
  await service.submit({ runs: [image("delay=50s")] });
  way.fallSilent();
  await service.stop();
  expect(service.logLines.at(-1)).toContain('"event":"stopped","how":"late"');
  await service.restart();
  expect((await service.ann.get("/v1/jobs")).body.data).toHaveLength(1);
  await remove();
});

async function startOnPostgres(settings: Record<string, string> = {}) {
  const { target, remove } = await createDatabase(false);
  if (target.kind !== "postgres") throw new Error("not a PostgreSQL");
  const way = await silentWay(target.url);
  const service = await startService({ settings: { ...settings, DATABASE_URL: way.url } });
  return {
    service,
    way,
    async remove() {
      await service.close();
      way.close();
      await remove();
    },
  };
}
