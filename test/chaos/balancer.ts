// A load balancer: gives each connection to the next instance that answers its health check, and ends the connections to
// one that does not any more.
import { connect, createServer, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { listen } from "./way.ts";

const checkedEveryMs = 500;
const answerWithinMs = 1_000;

export async function startBalancer(port: number, instances: readonly number[]) {
  const healthy = new Set<number>();
  const open = new Map<Socket, number>();
  let turn = 0;
  let isOver = false;

  const server = createServer((near) => {
    near.on("error", () => {});
    const candidates = instances.filter((one) => healthy.has(one));
    const chosen = candidates[turn++ % Math.max(candidates.length, 1)];
    if (chosen === undefined) return void near.destroy();
    const far = connect(chosen, "127.0.0.1");
    open.set(near, chosen);
    near.pipe(far).pipe(near);
    far.on("error", () => near.destroy());
    far.on("close", () => near.destroy());
    near.on("close", () => {
      open.delete(near);
      far.destroy();
    });
  });

  async function check(instance: number): Promise<void> {
    while (!isOver) {
      const signal = AbortSignal.timeout(answerWithinMs);
      const answer = await fetch(`http://127.0.0.1:${instance}/livez`, { signal }).catch(() => null);
      if (answer?.ok) healthy.add(instance);
      else {
        healthy.delete(instance);
        for (const [socket, to] of open) if (to === instance) socket.destroy();
      }
      await wait(checkedEveryMs);
    }
  }

  await listen(server, port);
  const checks = instances.map(check);
  return {
    /** Resolves once all instances answer. */
    async knowsAll(): Promise<void> {
      while (healthy.size < instances.length) await wait(50);
    },
    async close() {
      isOver = true;
      await Promise.all(checks);
      server.close();
      for (const socket of open.keys()) socket.destroy();
    },
  };
}
