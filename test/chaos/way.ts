// A TCP way to a server, on which connections are slow, cut or fall silent.
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

export interface Way {
  port: number;
  /** Every packet takes this much longer from now on. */
  setDelay(ms: number): void;
  /** All connections end at once. */
  cut(): void;
  /** Connections that are open now pass nothing on any more, and stay open. */
  fallSilent(): void;
  close(): void;
}

export async function openWay(port: number): Promise<Way> {
  const open = new Set<Socket>();
  const silent = new Set<Socket>();
  let delayMs = 0;
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.setNoDelay(true);
      // One promise after the other, so that a shorter delay does not let packets overtake.
      let last = Promise.resolve();
      from.on("data", (chunk) => {
        if (silent.has(near)) return;
        const passed = delayMs === 0 ? last : Promise.all([last, wait(delayMs)]);
        last = passed.then(() => void (to.destroyed || to.write(chunk)));
      });
      from.on("error", () => to.destroy());
      from.on("close", () => to.destroy());
    }
    open.add(near);
    near.on("close", () => open.delete(near));
  });
  return {
    port: await listen(server),
    setDelay(ms) {
      delayMs = ms;
    },
    cut() {
      for (const socket of open) socket.destroy();
    },
    fallSilent() {
      for (const socket of open) silent.add(socket);
    },
    close() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

export async function listen(server: Server, port = 0): Promise<number> {
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}
