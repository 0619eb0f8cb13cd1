// Hosts that share a database: the work of a silent host is soon another's, and one host reads the list for all.
import type { Agenda } from "../agenda.ts";
import type { Books } from "../books.ts";
import type { Fleet } from "../fleet.ts";
import type { Host } from "../host.ts";
import { demand } from "../invariants.ts";
import { createLeases } from "./leases.ts";

interface InstancesOptions {
  agenda: Agenda;
  books: Books;
  fleet: Fleet;
  now(): number;
  /** The longest time that commits may take. */
  slackMs: number;
}

const SECOND = 1_000;
/** From the last sign of life of a host until its work is due for the others. */
const TAKEOVER_MS = 20 * SECOND;
/** A host believes for so long that it still has its role. */
const ROLE_MS = 5 * SECOND;

/** A host without the role reads the list where a record is missing. */
const MAX_LISTS_A_MINUTE = 5;

export function createInstances({ agenda, books, fleet, now, slackMs }: InstancesOptions) {
  /** Since when an instance is silent. */
  const silent = new Map<string, number>();
  /** When a host was seen last to have the role of the reader. */
  const readers = new Map<string, number>();
  /** Lists that a host read without the role. */
  const lists = new Map<string, number[]>();
  const leases = createLeases({ agenda, books });
  const takeoverMs = TAKEOVER_MS + slackMs;

  /** Others have had the time to take over. */
  function isOverdue(since: number): boolean {
    const until = now() - takeoverMs;
    return since <= until && fleet.hosts.some((host) => (fleet.awakeSince(host) ?? now()) <= until);
  }

  function noteReader(): void {
    const holder = books.holderOf("list-poll");
    if (holder !== null) readers.set(holder, now());
  }

  return {
    died: (instance: string) => void silent.set(instance, now()),
    stoodStill(host: Host): void {
      const instance = host.instance();
      if (instance !== null) silent.set(instance, now());
    },
    committed: leases.committed,
    listed(host: Host): void {
      noteReader();
      const instance = host.instance() ?? "";
      // Each host searches for the starts that it is in doubt about, and probes before it starts anything after a pause.
      const isSearch = books.executions().some(({ phase }) => phase === "submitting" || phase === "orphan");
      if (isSearch || books.isPaused()) return;
      const isReader = now() - (readers.get(instance) ?? Number.NEGATIVE_INFINITY) <= ROLE_MS;
      if (isReader) return;
      const recent = (lists.get(instance) ?? []).filter((at) => at > now() - 60 * SECOND);
      lists.set(instance, [...recent, now()]);
      demand(recent.length < MAX_LISTS_A_MINUTE, () => {
        return `${instance} reads the list again and again, ${books.holderOf("list-poll")} does so for all`;
      });
    },
    check(): void {
      noteReader();
      for (const host of fleet.hosts) {
        const instance = host.instance();
        if (instance !== null && fleet.awakeSince(host) !== null) silent.delete(instance);
      }
      for (const [instance, since] of silent) {
        if (!isOverdue(since)) continue;
        demand(!books.knowsInstance(instance), () => `nobody takes over from ${instance}, which is silent`);
        const [held] = leases.heldBy(instance);
        demand(held === undefined, () => `${held} stays with ${instance}, which is silent`);
        silent.delete(instance);
      }
    },
  };
}
