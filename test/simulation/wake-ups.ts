// NOTIFY between the simulated hosts: late, and sometimes lost.
import type { Topic } from "../../src/store/db/transaction.ts";
import type { connectWakeUps } from "../../src/store/wake-ups.ts";
import type { Agenda } from "./agenda.ts";
import type { Power } from "./power.ts";
import type { Random } from "./random.ts";

/** The wake-ups of one process, which end with its power. */
export type WakeUpsOf = (power: Power) => typeof connectWakeUps;

const LOSSES = 0.1;

export function createWakeUps(agenda: Agenda, random: Random): WakeUpsOf {
  const hearers = new Set<(topic: Topic) => void>();
  return (power) => (_store, _url, wake) => {
    const underWay = new Set<Topic>();
    const hear = (topic: Topic) => {
      if (underWay.has(topic) || random.chance(LOSSES)) return;
      underWay.add(topic);
      agenda.after(random.between(20, 100), () =>
        power.deliver(() => {
          underWay.delete(topic);
          wake(topic);
        }),
      );
    };
    hearers.add(hear);
    power.onCut(() => hearers.delete(hear));
    return {
      tell(topic) {
        for (const other of hearers) if (other !== hear) other(topic);
      },
      close: async () => void hearers.delete(hear),
    };
  };
}
