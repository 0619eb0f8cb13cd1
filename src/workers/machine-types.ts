// A copy of Lyceum's machine types. Without a price, costs are not estimated.
import { exponentialMs } from "../lib/backoff.ts";
import type { MachineType } from "../lyceum/answer.ts";
import type { LyceumClient } from "../lyceum/client.ts";
import type { Context } from "../orchestration/context.ts";
import { type MachineTypeRow, replaceMachineTypes } from "../store/machine-types.ts";
import type { Worker } from "./loop.ts";

export function createMachineTypeSync(
  { store }: Context,
  { lyceum, now }: { lyceum: LyceumClient; now: () => number },
): Worker {
  let nextAt = 0;
  let failures = 0;
  return {
    name: "machine-types",
    async runOnce() {
      if (now() < nextAt) return nextAt;
      const types = await lyceum.machineTypes();
      if (types.type !== "ok") {
        nextAt = now() + exponentialMs(++failures, PAUSE);
        return nextAt;
      }
      const available = await lyceum.availableHardware();
      const names = available.type === "ok" ? available.value : null;
      await store.write((tx) => replaceMachineTypes(tx.db, merge(types.value, names, tx.now)));
      failures = 0;
      nextAt = now() + PERIOD_MS;
      return nextAt;
    },
    idle: async () => {},
  };
}

/** Submissions are checked against a catalogue that is at most an hour old. */
const PERIOD_MS = 50 * 60_000;
const PAUSE = { firstMs: 30_000, maxMs: 30 * 60_000 };
/** Lyceum has about a dozen machine types. */
const MAX_TYPES = 500;

/** @param available profiles that the account may use; null: unknown, empty: all of them */
function merge(types: MachineType[], available: string[] | null, now: number): MachineTypeRow[] {
  const prices = new Map(types.map((type) => [type.hardwareProfile, type.pricePerHour]));
  for (const name of available ?? []) if (!prices.has(name)) prices.set(name, null);
  return [...prices].slice(0, MAX_TYPES).map(([name, price]) => ({
    hardware_profile: name,
    price_per_hour: price !== null && price >= 0 ? price : null,
    available: available === null ? null : Number(available.length === 0 || available.includes(name)),
    fetched_at: now,
  }));
}
