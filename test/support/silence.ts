// A way to a database on which connections can fall silent, as after a failover: they stay open, and nobody answers.
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface SilentWay {
  url: string;
  /** Connections that are open now say nothing any more; new ones reach the database. */
  fallSilent(): void;
  close(): void;
}

export async function silentWay(databaseUrl: string): Promise<SilentWay> {
  const url = new URL(databaseUrl);
  const port = Number(url.port);
  const open = new Set<Socket>();
  const silent = new Set<Socket>();
  const proxy = createServer((near) => {
    const far = connect(port, url.hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on("data", (chunk) => silent.has(near) || to.write(chunk));
      from.on("error", () => to.destroy());
      from.on("close", () => to.destroy());
    }
    open.add(near);
    near.on("close", () => open.delete(near));
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  url.hostname = "127.0.0.1";
  url.port = String((proxy.address() as AddressInfo).port);
  return {
    url: url.href,
    fallSilent() {
      for (const socket of open) silent.add(socket);
    },
    close() {
      proxy.close();
      for (const socket of open) socket.destroy();
    },
  };
}
