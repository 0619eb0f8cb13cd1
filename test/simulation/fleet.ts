// The hosts of one simulated service, and the balancer before them. It does not know which of them stands still.
import type { Agenda } from "./agenda.ts";
import type { Call, Host, Reply } from "./host.ts";
import type { Random } from "./random.ts";

export interface Fleet {
  hosts: readonly Host[];
  call: Call;
  /** Since when the host has worked without a break (monotonic); null: it is down, or stands still. */
  awakeSince(host: Host): number | null;
  /** Since when all hosts have worked without a break; null: not all of them do. */
  allAwakeSince(): number | null;
  isAnyAwake(): boolean;
}

/** Callers ask again after this, where one host of several does not answer. */
const PATIENCE_MS = 20_000;

export function createFleet(hosts: readonly Host[], agenda: Agenda, random: Random): Fleet {
  const thawedAt = new Map<Host, number>();
  for (const host of hosts) {
    host.onFreeze((ms) => void thawedAt.set(host, agenda.monotonic() + ms));
    host.onDown(() => void thawedAt.delete(host));
  }

  function awakeSince(host: Host): number | null {
    const upSince = host.upSince();
    return upSince === null || host.isFrozen() ? null : Math.max(upSince, thawedAt.get(host) ?? 0);
  }

  async function balance(...request: Parameters<Call>): Promise<Reply | null> {
    const ready = hosts.filter((host) => host.upSince() !== null);
    if (ready.length === 0) return null;
    let cancel = () => {};
    const givenUp = new Promise<null>((resolve) => {
      cancel = agenda.after(PATIENCE_MS, () => resolve(null));
    });
    return Promise.race([random.pick(ready).call(...request), givenUp]).finally(() => cancel());
  }

  const [only] = hosts;
  return {
    hosts,
    call: hosts.length === 1 && only !== undefined ? only.call : balance,
    awakeSince,
    allAwakeSince() {
      const times = hosts.map(awakeSince);
      return times.includes(null) ? null : Math.max(...times.map((at) => at ?? 0));
    },
    isAnyAwake: () => hosts.some((host) => awakeSince(host) !== null),
  };
}
