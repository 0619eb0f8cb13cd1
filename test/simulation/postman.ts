// Lyceum's callbacks on their way: lost, doubled, early, late, forged, into a dead process; their bodies lie.
import type { Agenda } from "./agenda.ts";
import type { Call } from "./host.ts";
import { demand } from "./invariants.ts";
import type { Judge } from "./judge.ts";
import type { Lyceum } from "./lyceum.ts";
import type { Random } from "./random.ts";
import type { Work } from "./work.ts";

interface PostmanOptions {
  random: Random;
  agenda: Agenda;
  lyceum: Lyceum;
  call: Call;
  judge: Judge;
  trace(line: string): void;
  guard<T>(work: () => Promise<T>): void;
}

const SECOND = 1_000;
const MAX_TRIES = 3;

export function createPostman({ random, agenda, lyceum, call, judge, trace, guard }: PostmanOptions): void {
  const losses = random.pick([0, 0.2, 0.2, 1]);
  lyceum.onTaken((work) => {
    if (random.chance(0.25)) post(work, random.between(0, 30 * SECOND), "early");
    if (random.chance(0.1)) forge(work, random.between(0, 60 * SECOND));
  });
  lyceum.onEnd((work) => {
    if (random.chance(losses) || lyceum.habits.losesCallbacks)
      return trace(`lyceum    loses the callback of ${work.id}`);
    post(work, random.between(0, 2 * SECOND), "due");
    if (random.chance(0.2)) post(work, random.between(0, 2 * SECOND), "doubled");
    if (random.chance(0.1)) post(work, random.between(60 * SECOND, 600 * SECOND), "late");
  });

  function post(work: Work, delayMs: number, kind: string, tries = 1): void {
    if (work.callbackUrl === null) return;
    const { pathname } = new URL(work.callbackUrl);
    agenda.after(delayMs, () =>
      guard(async () => {
        const reply = await deliver(pathname);
        trace(`lyceum    calls back for ${work.id} (${kind}): ${reply?.status ?? "nobody answers"}`);
        if (reply === null || reply.status >= 500) {
          if (tries < MAX_TRIES) post(work, random.between(5 * SECOND, 60 * SECOND), "again", tries + 1);
        } else {
          demand(reply.status === 204, () => `a true callback is answered with ${reply.status}`);
          judge.acknowledgeCallback(work.marker);
        }
      }),
    );
  }

  /** The right place with a wrong token, or the token of one execution for another. */
  function forge(work: Work, delayMs: number): void {
    if (work.callbackUrl === null) return;
    const [marker, token = ""] = new URL(work.callbackUrl).pathname.split("/").slice(-2);
    const other = lyceum.works.find((one) => one.marker !== marker)?.marker;
    const path = other === undefined ? `${marker}/${"x".repeat(token.length)}` : `${other}/${token}`;
    agenda.after(delayMs, () =>
      guard(async () => {
        const reply = await deliver(`/callbacks/lyceum/${path}`);
        demand(reply === null || reply.status === 401, () => `a forged callback passes: ${reply?.status}`);
      }),
    );
  }

  function deliver(path: string) {
    const body = random.pick(LIES);
    return call("POST", path, { "content-type": "application/json" }, body);
  }
}

/** Nothing in a body may decide anything. */
const LIES = [
  '{"status":"completed","return_code":0}',
  '{"status":"failed","return_code":1}',
  '{"status":"system_failure"}',
  '{"status":"aborted"}',
  "",
  "\u0000not json",
];
