// The process: settings from the environment, the app, signals, exit codes.
import { pathToFileURL } from "node:url";
import { createApp } from "./app.ts";
import { type Config, readConfig, readDatabase } from "./config.ts";
import { DatabaseRefused } from "./lib/database-error.ts";
import { tuneHeap } from "./lib/heap.ts";

/** EX_CONFIG of sysexits.h. */
const BAD_CONFIGURATION = 78;

export async function serve(): Promise<void> {
  tuneHeap();
  const { config, warnings } = configOrExit();
  try {
    const app = createApp(config, { warnings });
    const starting = app.start();
    // Before the start is told of: whoever hears of it may stop the service at once.
    stopOnSignal(() => starting.then(app.stop));
    await starting;
  } catch (error) {
    exitBecause("start", error);
  }
}

function stopOnSignal(stop: () => Promise<void>): void {
  let stopping = false;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      // The second signal means it.
      if (stopping) process.exit(1);
      stopping = true;
      stop().then(
        () => process.exit(0),
        () => process.exit(1),
      );
    });
  }
}

/** The code says whether a restart may help. */
export function exitBecause(
  what: "start" | "migrate" | "move" | "back up" | "restore" | "export" | "open",
  error: unknown,
): never {
  process.stderr.write(`Proctor cannot ${what}: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(error instanceof DatabaseRefused ? error.exitCode : 1);
}

/** Prints what is wrong with each setting, by name. */
export function configOrExit(): { config: Config; warnings: string[] } {
  const result = readConfig(process.env);
  if (!result.ok) return exitWith(result.problems);
  return result;
}

/** For what needs the database alone. */
export function databaseOrExit(): Config["database"] {
  const result = readDatabase(process.env);
  return result.ok ? result.database : exitWith(result.problems);
}

function exitWith(problems: { name: string; problem: string }[]): never {
  const lines = problems.map(({ name, problem }) => `  ${name}: ${problem}`);
  process.stderr.write(`Proctor cannot start, its settings have problems:\n${lines.join("\n")}\n`);
  process.exit(BAD_CONFIGURATION);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await serve();
