// Opening and closing a server as promises.
import type { Server } from "node:http";

/** Answers the port, which matters where 0 asked for a free one. */
export function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}

/** Lets open requests finish. */
export function close(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error === undefined ? resolve() : reject(error)));
    server.closeIdleConnections();
  });
}

/** Lets nobody finish. */
export function cutOff(server: Server): void {
  server.close();
  server.closeAllConnections();
}
