// The service's listeners: the API on one port and, with METRICS_PORT, the metrics on another.
import { createServer, type Server } from "node:http";
import { getRequestListener } from "@hono/node-server";
import type { Hono } from "hono";
import { callbackReceiver } from "./callback-fast-path.ts";
import { type Connections, manageConnections } from "./connections.ts";
import { malformedRequests } from "./malformed-requests.ts";
import type { AppContext, Env } from "./request-context.ts";

export interface ListenOptions {
  host: string;
  port: number;
  api: Hono<Env>;
  metricsPort: number | null;
  metrics: { text(): Promise<string>; type: string };
}

export interface Listeners {
  open(): Promise<number>;
  close(): Promise<void>;
  closeNow(): void;
}

export function createListeners(
  context: AppContext,
  { host, port, api, metricsPort, metrics }: ListenOptions,
): Listeners {
  const servers = new Map<Server, Connections>();

  function createApiServer(): Server {
    const { onClientError, errorHandler, withHost } = malformedRequests(context);
    // HTTP/1.0 requests need no Host header.
    const routed = getRequestListener(api.fetch, { hostname: "localhost", errorHandler });
    const answer = withHost(callbackReceiver(context, routed));
    // Requests with an unknown `Expect` header are served like any other.
    return createServer({ requireHostHeader: false }, answer)
      .on("checkExpectation", answer)
      .on("clientError", onClientError);
  }

  function createMetricsServer(): Server {
    return createServer((request, response) => {
      if (request.method !== "GET" || request.url?.split("?", 1)[0] !== "/metrics") {
        response
          .writeHead(404, { "Content-Type": "text/plain" })
          .end("Not found: only GET /metrics is served here\n");
        return;
      }
      metrics.text().then(
        (text) => response.setHeader("Content-Type", metrics.type).end(text),
        (error) => {
          context.report.fault("metrics", error);
          response.writeHead(500).end();
        },
      );
    });
  }

  async function open(server: Server, at: number): Promise<number> {
    const connections = manageConnections(server, context.timers);
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
    close: async () =>
      void (await Promise.all([...servers.values()].map((connections) => connections.close()))),
    closeNow() {
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
    server.listen({ port, host, backlog: BACKLOG }, () => {
      server.off("error", reject);
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}

/**
 * Connections that wait to be accepted; the system may allow fewer (`net.core.somaxconn`). Node accepts one a tick, and a
 * client that finds the queue full tries again only after a second. Node's own default is 511.
 */
const BACKLOG = 4_096;
