// The connections of a server: those that are half closed, and how all of them come to an end.
import type { Server, ServerResponse } from "node:http";
import { Server as NetServer, type Socket } from "node:net";
import type { Timers } from "../lib/clock.ts";

export interface Connections {
  /** Takes no new ones, and resolves when the last one has its answer. */
  close(): Promise<void>;
}

/** Node's undocumented field for the response that a connection is busy with. */
export interface Answering {
  _httpMessage?: ServerResponse | null;
}

type Connection = Socket & Answering;

export function manageConnections(server: Server, timers: Timers): Connections {
  const open = new Set<Connection>();
  /** Connections that have brought a request. */
  const used = new WeakSet<Socket>();
  // A client may close its sending half and still wait for the answer. Node does not document this setting.
  Object.assign(server, { httpAllowHalfOpen: true });
  // Longer than a load balancer keeps a connection: the one that closes first must not be the one that is sent to.
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.on("connection", (socket: Connection) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    socket.once("end", () => {
      if (socket._httpMessage) probeAfter(PROBE_AFTER_MS, socket, timers);
    });
  });

  server.on("request", ({ socket }) => used.add(socket));

  /** A new connection is about to send a request, but node counts the connection as idle. */
  function areAllUsed(): boolean {
    for (const socket of open) if (!used.has(socket)) return false;
    return true;
  }

  /** A request that is still being sent cannot be waited for: its sender is told, and may send it elsewhere. */
  function refuseUnfinished(): void {
    for (const socket of open)
      if (socket._httpMessage?.req.complete !== true) server.emit("clientError", tooSlow(), socket);
  }

  return {
    close() {
      const closed = new Promise<void>((resolve, reject) => {
        // The port alone: node's own close also ends connections on which a request is just arriving.
        NetServer.prototype.close.call(server, (error) => (error === undefined ? resolve() : reject(error)));
      });
      let sweptMs = 0;
      let cancel = () => {};
      const sweep = () => {
        // Answers that began before the stop left their connections open.
        if (sweptMs >= UNUSED_MS || areAllUsed()) server.closeIdleConnections();
        if (sweptMs >= UNFINISHED_MS) refuseUnfinished();
        sweptMs += SWEEP_MS;
        cancel = timers.after(SWEEP_MS, sweep);
      };
      sweep();
      return closed.finally(() => {
        cancel();
        // Ends node's watch over slow requests; the port is closed already.
        server.close(() => {});
      });
    },
  };
}

/**
 * Nothing tells a sender that waits from one that has gone until something is sent to it. Interim answers are skipped by
 * whoever reads [RFC 9110, 15.2]; whoever does not resets the connection at the first, which the next one meets. Streams
 * have their heartbeat.
 */
function probeAfter(ms: number, socket: Connection, timers: Timers): void {
  timers.after(ms, () => {
    const answer = socket._httpMessage;
    if (socket.destroyed || !answer || answer.headersSent || answer.req.httpVersion !== "1.1") return;
    answer.writeContinue();
    probeAfter(ms * 2, socket, timers);
  });
}

function tooSlow(): Error {
  return Object.assign(new Error("the request did not come to its end"), {
    code: "ERR_HTTP_REQUEST_TIMEOUT",
  });
}

const KEEP_ALIVE_MS = 75_000;
const PROBE_AFTER_MS = 1_000;
const SWEEP_MS = 100;
const UNUSED_MS = 1_000;
const UNFINISHED_MS = 5_000;
