// A role that one of several instances holds at a time, and workers that only its holder runs.
import type { Clock } from "../lib/clock.ts";
import { takeRole } from "../store/roles.ts";
import type { Store } from "../store/store.ts";
import type { Worker } from "./loop.ts";

export interface Role {
  /** A SQLite process holds all roles. */
  isHeld(): Promise<boolean>;
}

export function createRole(
  { db, kind, instance }: Pick<Store, "db" | "kind" | "instance">,
  clock: Clock,
  name: string,
): Role {
  if (kind === "sqlite") return { isHeld: async () => true };
  let isHolder = false;
  /** Monotonic. */
  let askAt = Number.NEGATIVE_INFINITY;
  return {
    async isHeld() {
      if (clock.monotonic() < askAt) return isHolder;
      const now = clock.now();
      isHolder = await takeRole(db, { name, holder: instance, now, until: now + LEASE_MS });
      askAt = clock.monotonic() + RENEWED_EVERY_MS;
      return isHolder;
    },
  };
}

/** Longer than a loop sleeps, so that the holder stays; a dead one's roles are freed with its other work. */
const LEASE_MS = 45_000;
const RENEWED_EVERY_MS = 5_000;

export function onlyInRole(role: Role, worker: Worker, clock: Clock): Worker {
  return {
    ...worker,
    async runOnce() {
      return (await role.isHeld()) ? worker.runOnce() : clock.now() + RENEWED_EVERY_MS;
    },
  };
}
