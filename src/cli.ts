#!/usr/bin/env node
// The commands around the service. `npm start` runs the service alone; everything else is here.
import { Command, InvalidArgumentError } from "commander";
import { createApp } from "./app.ts";
import { dev } from "./cli/dev.ts";
import { startEmulator } from "./emulator/server.ts";
import { configOrExit, serve } from "./main.ts";

const program = new Command("proctor").description(
  "Takes runs on Lyceum Cloud to an end, once, and tells you how it went.",
);

program.command("serve").description("run the service from the environment").action(serve);

program
  .command("dev")
  .description("service, emulated Lyceum and a first job that really runs, on this machine alone")
  .option("--port <port>", "where the service listens; the next free one if it is taken", port, 8080)
  .action((options: { port: number }) => dev(options));

program
  .command("emulate")
  .description("a local Lyceum on loopback, with switches for everything that can go wrong")
  .option("--port <port>", "0 takes a free one", port, 8090)
  .action(async (options: { port: number }) => {
    const emulator = await startEmulator({ port: options.port, log: (line) => console.error(line) });
    console.log(
      `Lyceum emulator at ${emulator.url} (key: lk_emulator)\nSwitches and help: ${emulator.controlUrl}`,
    );
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => void emulator.close());
  });

program
  .command("migrate")
  .description("apply missing migrations and leave")
  .action(async () => {
    const applied = await createApp(configOrExit()).migrate();
    console.log(applied.length === 0 ? "nothing to apply" : `applied: ${applied.join(", ")}`);
  });

await program.parseAsync();

function port(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number > 65_535)
    throw new InvalidArgumentError("a port is a number from 0 to 65535");
  return number;
}
