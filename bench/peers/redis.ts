// A real Redis on loopback that syncs its log to disk on every write.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { Redis } from "ioredis";
import { Skipped } from "../measure.ts";
import { freePort } from "../service.ts";

export interface Database {
  /** Environment of a server that connects to the database. */
  env: Record<string, string>;
  pid: number;
  stop(): Promise<void>;
}

export async function startRedis(directory: string): Promise<Database & { port: number }> {
  const port = await freePort();
  const settings = `--bind 127.0.0.1 --appendonly yes --appendfsync always --dir ${directory}`.split(" ");
  const child = spawn("redis-server", ["--port", String(port), ...settings, "--save", ""], {
    stdio: "ignore",
  });
  const failed = once(child, "error").then(() => {
    throw new Skipped("redis-server is not on the PATH");
  });
  const end = () => child.kill("SIGKILL");
  process.once("exit", end);
  const client = new Redis({ port, host: "127.0.0.1", maxRetriesPerRequest: null });
  client.on("error", () => {});
  try {
    await Promise.race([client.ping(), failed]);
  } finally {
    client.disconnect();
  }
  return {
    port,
    pid: child.pid ?? 0,
    env: { REDIS_PORT: String(port) },
    async stop() {
      process.off("exit", end);
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}
