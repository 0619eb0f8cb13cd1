// The service's doors: the API on one port and, where it is asked for, the metrics on another.
import { createServer, type Server } from "node:http";
import { getRequestListener } from "@hono/node-server";
import type { Hono } from "hono";
import { callbackReceiver } from "./callback-fast-path.ts";
import { type Connections, manageConnections } from "./connections.ts";
import { malformedRequests } from "./malformed-requests.ts";
import type { AppContext, Env } from "./request-context.ts";

export interface DoorOptions {
  host: string;
  /** 0 asks for a free one. */
  port: number;
  api: Hono<Env>;
  /** Of a door of their own. */
  metricsPort: number | null;
  metrics: { text(): Promise<string>; type: string };
}

export interface Doors {
  /** Answers the port of the API. */
  open(): Promise<number>;
  /** Lets open requests finish. */
  close(): Promise<void>;
  /** Lets nobody finish. */
  cutOff(): void;
}

export function createListeners(
  desk: AppContext,
  { host, port, api, metricsPort, metrics }: DoorOptions,
): Doors {
  const servers = new Map<Server, Connections>();

  function createApiServer(): Server {
    const { onClientError, errorHandler, withHost } = malformedRequests(desk);
    // Who speaks HTTP/1.0 need not name a host.
    const routed = getRequestListener(api.fetch, { hostname: "localhost", errorHandler });
    const answer = withHost(callbackReceiver(desk, routed));
    // An expectation that we do not know is no reason to refuse.
    return createServer({ requireHostHeader: false }, answer)
      .on("checkExpectation", answer)
      .on("clientError", onClientError);
  }

  function createMetricsServer(): Server {
    return createServer((request, response) => {
      if (request.method !== "GET" || request.url?.split("?", 1)[0] !== "/metrics") {
        response.writeHead(404, { "Content-Type": "text/plain" }).end("only GET /metrics is served here\n");
        return;
      }
      metrics.text().then(
        (text) => response.setHeader("Content-Type", metrics.type).end(text),
        (error) => {
          desk.report.fault("metrics", error);
          response.writeHead(500).end();
        },
      );
    });
  }

  async function open(server: Server, at: number): Promise<number> {
    const connections = manageConnections(server, desk.timers);
    const opened = await listen(server, at, host);
    servers.set(server, connections);
    return opened;
  }

  return {
    async open() {
      const opened = await open(createApiServer(), port);
      if (metricsPort !== null) await open(createMetricsServer(), metricsPort);
      return opened;
    },
    close: async () => void (await Promise.all([...servers.values()].map((one) => one.close()))),
    cutOff() {
      for (const server of servers.keys()) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}
