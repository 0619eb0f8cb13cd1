// The catalogue of Lyceum's hardware: refreshed now and then, and kept when Lyceum does not answer.
import { expect, test } from "vitest";
import type { LyceumClient } from "../../src/lyceum/client.ts";
import { listMachineTypes } from "../../src/store/machine-types.ts";
import { createMachineTypeSync } from "../../src/workers/machine-types.ts";
import { eachDatabase } from "../support/databases.ts";
import { contextOf } from "../support/scene.ts";

const PERIOD = 50 * 60_000;

eachDatabase("the list of machine types", (open) => {
  async function scene() {
    const database = await open();
    const lyceum = {
      types: [{ hardwareProfile: "cpu", pricePerHour: 0.1 as number | null }],
      available: ["cpu"] as string[] | null,
      isUp: true,
      asked: 0,
    };
    const silence = { type: "unreachable", detail: "away" };
    const client = {
      machineTypes: async () => {
        lyceum.asked++;
        return lyceum.isUp ? { type: "ok", value: lyceum.types } : silence;
      },
      availableHardware: async () =>
        lyceum.available === null ? silence : { type: "ok", value: lyceum.available },
    } as unknown as LyceumClient;
    const { time, store } = database;
    const catalogue = createMachineTypeSync(contextOf(database), { lyceum: client, now: () => time.now() });
    const known = async () =>
      (await listMachineTypes(store.db)).map((row) => [
        row.hardware_profile,
        row.price_per_hour,
        row.available,
      ]);
    return { time, lyceum, catalogue, known };
  }

  test("the list of machine types is read at the start and every 50 minutes", async () => {
    const { time, lyceum, catalogue, known } = await scene();
    expect(await catalogue.runOnce()).toBe(time.now() + PERIOD);
    time.pass(PERIOD - 1);
    expect(await catalogue.runOnce()).toBe(time.now() + 1);
    expect(lyceum.asked).toBe(1);
    lyceum.types = [{ hardwareProfile: "gpu", pricePerHour: 2 }];
    time.pass(1);
    await catalogue.runOnce();
    expect(await known()).toEqual([
      ["cpu", null, 1],
      ["gpu", 2, 0],
    ]);
  });

  test("the list of machine types stays as it is while Lyceum is away, which is asked less and less often", async () => {
    const { time, lyceum, catalogue, known } = await scene();
    await catalogue.runOnce();
    time.pass(PERIOD);
    lyceum.isUp = false;
    const waits: number[] = [];
    for (let round = 0; round < 8; round++) {
      const nextAt = (await catalogue.runOnce()) ?? 0;
      waits.push((nextAt - time.now()) / 1_000);
      time.pass(nextAt - time.now());
    }
    expect(waits).toEqual([30, 60, 120, 240, 480, 960, 1_800, 1_800]);
    expect(await known()).toEqual([["cpu", 0.1, 1]]);
  });

  test("an empty list of what the account may use restricts nothing, a missing one says nothing", async () => {
    const { time, lyceum, catalogue, known } = await scene();
    lyceum.available = [];
    await catalogue.runOnce();
    expect(await known()).toEqual([["cpu", 0.1, 1]]);
    lyceum.available = null;
    lyceum.types = [{ hardwareProfile: "cpu", pricePerHour: -1 }];
    time.pass(PERIOD);
    await catalogue.runOnce();
    expect(await known()).toEqual([["cpu", null, null]]);
  });
});
