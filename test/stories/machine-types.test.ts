// Lyceum's hardware and prices: cached, and nothing depends on their being there.
import { expect, it } from "vitest";
import { selectionProfiles } from "../../src/emulator/hardware.ts";
import { image, startService, until } from "../support/service.ts";

it("machine types are listed with their prices, also while Lyceum is unreachable", async () => {
  await using service = await startService();
  const look = async () => (await service.reader.get("/v1/machine-types")).body;
  const known = await until("the machine types", async () => {
    const body = await look();
    return body.fetched_at !== null && body;
  });
  expect(known.next_cursor).toBeNull();
  expect(known.data).toContainEqual({ hardware_profile: "gpu.a100", price_per_hour: 1.8, available: true });
  service.network.lyceumIsUp = false;
  await service.restart();
  expect(await look()).toEqual(known);
});

it("without machine types runs go on, and a cost without a bill stays unknown", async () => {
  await using service = await startService({ chaos: { read: { "503": { next: 1 } } } });
  expect((await service.ann.get("/v1/machine-types")).body).toEqual({
    data: [],
    next_cursor: null,
    fetched_at: null,
  });
  expect(await service.run(image("bill=withheld"))).toMatchObject({ status: "succeeded", cost: null });
});

it("the sub-jobs of a GPU selection are compared by duration and cost", async () => {
  await using service = await startService();
  await until("prices", async () => (await service.ann.get("/v1/machine-types")).body.fetched_at);
  const run = await service.run({ kind: "gpu_selection", code: "# emulator: delay=60ms" });
  const subJobs = run.gpu_selection ?? [];
  expect(subJobs.map(({ hardware }) => hardware).toSorted()).toEqual(selectionProfiles.toSorted());
  for (const subJob of subJobs) {
    expect(Object.keys(subJob).toSorted()).toEqual(
      [
        "cheapest",
        "cost",
        "cost_source",
        "duration_ms",
        "fastest",
        "hardware",
        "lyceum_execution_id",
        "status",
      ].toSorted(),
    );
    expect(subJob).toMatchObject({ status: "completed", cost: expect.any(Number), cost_source: "billed" });
  }
  expect(subJobs.filter(({ cheapest }) => cheapest).map(({ hardware }) => hardware)).toEqual(["gpu.l40s"]);
  expect(subJobs.some(({ fastest }) => fastest)).toBe(true);
  // The parent ran on the cheapest hardware for the same time: its own bill is smaller than theirs.
  expect(run.cost).toBeCloseTo(
    subJobs.reduce((sum, { cost }) => sum + (cost ?? 0), 0),
    8,
  );
  expect(service.answers.join("\n")).not.toContain("emulator-s3-secret-key");
});

it("only a GPU selection has a comparison", async () => {
  await using service = await startService();
  expect((await service.run(image())).gpu_selection).toBeNull();
});

it("unknown hardware is accepted with a warning that names the nearest machine type", async () => {
  await using service = await startService();
  const misspelt = { ...image(), execution_type: "gpu.a10" };
  const submit = () => service.ann.post("/v1/jobs", { runs: [image(), misspelt] });
  await until("prices", async () => (await service.ann.get("/v1/machine-types")).body.fetched_at);
  const { status, body } = await submit();
  expect(status).toBe(202);
  expect(body.warnings).toEqual([
    {
      pointer: "/runs/1/execution_type",
      detail: "gpu.a10 is not in Lyceum's catalogue; did you mean gpu.a100?",
    },
  ]);
});
