// The commands that run something on this machine. The service is loaded only when one of them is called: a client's
// command must not wait for it, nor need its database.
import { type Command, InvalidArgumentError, Option } from "commander";

export function addLocal(program: Command): void {
  program
    .command("serve")
    .description("run the service from the environment")
    .action(async () => (await import("../main.ts")).serve());
  program
    .command("dev")
    .description("service, emulated Lyceum and a first job that really runs, on this machine alone")
    .addOption(
      new Option("--port <port>", "where the service listens; the next free one if it is taken")
        .env("PORT")
        .argParser(port)
        .default(8080),
    )
    .option(
      "--data <dir>",
      "keep the database in this folder; without it a temporary one is removed at the end",
    )
    .action(async (options: { port: number; data?: string }) => (await import("./dev.ts")).dev(options));
  program
    .command("emulate")
    .description("a local Lyceum on loopback, with switches for everything that can go wrong")
    .option("--port <port>", "0 takes a free one", port, 8090)
    .action(emulate);
  program
    .command("migrate")
    .description("apply missing migrations and leave; needs DATABASE_URL alone")
    .action(migrate);
}

async function emulate({ port }: { port: number }): Promise<void> {
  const { startEmulator } = await import("../emulator/server.ts");
  const emulator = await startEmulator({ port, log: (line) => console.error(line) });
  console.log(
    `Lyceum emulator at ${emulator.url} (key: lk_emulator)\nSwitches and help: ${emulator.controlUrl}`,
  );
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => void emulator.close());
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
    throw new InvalidArgumentError("a port is a number from 0 to 65535");
  return number;
}
