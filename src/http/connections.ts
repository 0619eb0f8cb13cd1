// A server's connections: half-closed clients, and closing all connections on shutdown.
import type { Server, ServerResponse } from "node:http";
import { Server as NetServer, type Socket } from "node:net";
import type { Timers } from "../lib/clock.ts";

export interface Connections {
  close(): Promise<void>;
}

/** Node's undocumented field: the response that a connection is busy with. */
export interface Answering {
  _httpMessage?: ServerResponse | null;
}

type Connection = Socket & Answering;

export function manageConnections(server: Server, timers: Timers): Connections {
  const open = new Set<Connection>();
  const used = new WeakSet<Socket>();
  // A client may close its sending half and wait for the answer. Node does not document this setting.
  Object.assign(server, { httpAllowHalfOpen: true });
  // Longer than load balancers keep connections: the server must not close a connection just as a request is sent.
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.on("connection", (socket: Connection) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    socket.once("end", () => {
      if (socket._httpMessage) probeAfter(PROBE_AFTER_MS, socket, timers);
    });
  });

  server.on("request", ({ socket }) => used.add(socket));

  /** Node counts a new connection as idle, though it is about to send a request. */
  function areAllUsed(): boolean {
    for (const socket of open) if (!used.has(socket)) return false;
    return true;
  }

  /** Answers unfinished requests with 408, so that their senders can send them elsewhere. */
  function refuseUnfinished(): void {
    for (const socket of open)
      if (socket._httpMessage?.req.complete !== true) server.emit("clientError", requestTimeout(), socket);
  }

  return {
    close() {
      const closed = new Promise<void>((resolve, reject) => {
        // Closes only the port: node's own close also ends connections on which a request is just arriving.
        NetServer.prototype.close.call(server, (error) => (error === undefined ? resolve() : reject(error)));
      });
      let sweptMs = 0;
      let cancel = () => {};
      const sweep = () => {
        // Answers that began before the shutdown left their connections open.
        if (sweptMs >= UNUSED_MS || areAllUsed()) server.closeIdleConnections();
        if (sweptMs >= UNFINISHED_MS) refuseUnfinished();
        sweptMs += SWEEP_MS;
        cancel = timers.after(SWEEP_MS, sweep);
      };
      sweep();
      return closed.finally(() => {
        cancel();
        // Ends node's timer for slow requests; the port is closed already.
        server.close(() => {});
      });
    },
  };
}

/**
 * Interim answers find out whether a half-closed client still waits: a closed one resets the connection. Clients skip
 * them [RFC 9110, 15.2].
 */
function probeAfter(ms: number, socket: Connection, timers: Timers): void {
  timers.after(ms, () => {
    const answer = socket._httpMessage;
    if (socket.destroyed || !answer || answer.headersSent || answer.req.httpVersion !== "1.1") return;
    answer.writeContinue();
    probeAfter(ms * 2, socket, timers);
  });
}

function requestTimeout(): Error {
  return Object.assign(new Error("the request is incomplete"), {
    code: "ERR_HTTP_REQUEST_TIMEOUT",
  });
}

const KEEP_ALIVE_MS = 75_000;
const PROBE_AFTER_MS = 1_000;
const SWEEP_MS = 100;
const UNUSED_MS = 1_000;
const UNFINISHED_MS = 5_000;
