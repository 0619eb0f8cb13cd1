// The process: settings from the environment, the app, signals, exit codes.
import { pathToFileURL } from "node:url";
import { type App, createApp } from "./app.ts";
import { type Config, readConfig } from "./config.ts";

/** EX_CONFIG of sysexits.h. */
const BAD_CONFIGURATION = 78;

export async function serve(): Promise<void> {
  const config = configOrExit();
  let app: App;
  try {
    app = createApp(config);
    await app.start();
  } catch (error) {
    process.stderr.write(`Proctor cannot start: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
  let stopping = false;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      // The second signal means it.
      if (stopping) process.exit(1);
      stopping = true;
      app.stop().then(
        () => process.exit(0),
        () => process.exit(1),
      );
    });
  }
}

/** Prints everything that is wrong with the settings, by name, and ends the process. */
export function configOrExit(): Config {
  const reading = readConfig(process.env);
  if (!reading.ok) {
    const lines = reading.problems.map(({ name, problem }) => `  ${name}: ${problem}`);
    process.stderr.write(`Proctor cannot start, its settings have problems:\n${lines.join("\n")}\n`);
    process.exit(BAD_CONFIGURATION);
  }
  for (const warning of reading.warnings) process.stderr.write(`warning: ${warning}\n`);
  return reading.config;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await serve();
