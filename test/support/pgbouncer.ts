// A real PgBouncer on loopback in front of a PostgreSQL. It is a package of the operating system: machines without it
// skip its tests.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { traversableFolder, unprivilegedUser } from "./postgres-server.ts";
import { freePort } from "./service.ts";
import { until } from "./wait.ts";

export const hasPgBouncer = spawnSync("pgbouncer", ["--version"]).status === 0;

/** @param target the URL of a database; as many clients as come share `size` connections to it */
export async function startPgBouncer(
  target: string,
  mode: "session" | "transaction" | "statement",
  size = 4,
) {
  const { hostname, port: serverPort, pathname } = new URL(target);
  const folder = mkdtempSync(join(traversableFolder(), "proctor-pgbouncer-"));
  chmodSync(folder, 0o755);
  const port = await freePort();
  const settings = join(folder, "pgbouncer.ini");
  writeFileSync(
    settings,
    `[databases]
proctor = host=${hostname} port=${serverPort} dbname=${pathname.slice(1)} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = ${mode}
default_pool_size = ${size}
max_client_conn = 100
`,
  );
  // PgBouncer refuses to run as root.
  const owner = process.getuid?.() === 0 ? unprivilegedUser() : {};
  const child = spawn("pgbouncer", [settings], { ...owner, stdio: "ignore" });
  await until("PgBouncer", () => isOpen(port));
  return {
    url: `postgres://postgres@127.0.0.1:${port}/proctor`,
    async [Symbol.asyncDispose]() {
      const end = once(child, "exit");
      child.kill("SIGTERM");
      await end;
      rmSync(folder, { recursive: true });
    },
  };
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(true)).on("error", () => resolve(false));
    socket.on("connect", () => socket.destroy());
  });
}
