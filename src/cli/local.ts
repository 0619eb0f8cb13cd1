// Commands that run on this machine. They import the service only when called: other commands must not wait for that.
import { type Command, InvalidArgumentError, Option } from "commander";
import type { MoveArguments } from "../app/move.ts";

export function addLocal(program: Command): void {
  program
    .command("serve")
    .description("run the service with settings from the environment")
    .action(async () => (await import("../main.ts")).serve());
  program
    .command("dev")
    .description("run service, emulated Lyceum and a first job on this machine")
    .addOption(
      new Option("--port <port>", "port of the service; the next free port if taken")
        .env("PORT")
        .argParser(port)
        .default(8080),
    )
    .option("--data <dir>", "keep the database in this folder; default: a temporary folder")
    .action(async (options: { port: number; data?: string }) => (await import("./dev.ts")).dev(options));
  program
    .command("emulate")
    .description("run a local Lyceum on loopback, with switches for failures")
    .option("--port <port>", "0 chooses a free port", port, 8090)
    .action(emulate);
  program
    .command("migrate")
    .description("apply pending migrations and exit; needs only DATABASE_URL")
    .action(migrate);
  program
    .command("move")
    .description(
      "copy a stopped service's SQLite file to an empty PostgreSQL; the file then refuses to start",
    )
    .requiredOption("--from <url>", "sqlite:path/to/file.db")
    .option("--to <url>", "postgres://user:password@host/database")
    .option("--start-window <duration>", "window of SUBMIT_LIMIT, whose starts count on", "1h")
    .option("--undo", "let the SQLite file start again; nothing may run on the PostgreSQL any more")
    .action(move);
}

async function emulate({ port }: { port: number }): Promise<void> {
  const { startEmulator } = await import("../emulator/server.ts");
  const emulator = await startEmulator({ port, log: (line) => console.error(line) });
  console.log(
    `Lyceum emulator at ${emulator.url} (key: lk_emulator)\nSwitches and help: ${emulator.controlUrl}`,
  );
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => void emulator.close());
}

async function move(given: MoveArguments): Promise<void> {
  const [{ runMove }, main] = await Promise.all([import("../app/move.ts"), import("../main.ts")]);
  await runMove(given, console.log).catch((error) => main.exitBecause("move", error));
}

async function migrate(): Promise<void> {
  const [app, main] = await Promise.all([import("../app.ts"), import("../main.ts")]);
  const applied = await app
    .migrate(main.databaseOrExit())
    .catch((error) => main.exitBecause("migrate", error));
  console.log(applied.length === 0 ? "nothing to apply" : `applied: ${applied.join(", ")}`);
}

function port(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number > 65_535)
    throw new InvalidArgumentError("must be a number from 0 to 65535");
  return number;
}
