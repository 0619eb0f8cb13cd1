// The command line as people use it: a child process of its own, with a service to talk to.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Json } from "../http/client.ts";
import { apiKeys } from "../support/service.ts";

const entry = fileURLToPath(new URL("../../src/cli.ts", import.meta.url));

export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
  json: () => Json;
}

export interface Running {
  child: ChildProcess;
  /** The output so far, of both streams. */
  said: () => string;
  ended: Promise<Outcome>;
}

export interface Options {
  cwd?: string;
  stdin?: string;
  env?: Record<string, string>;
}

/** Starts `proctor` with these arguments; without a URL it finds no service. */
export function start(url: string, args: string[], { cwd, stdin, env = {} }: Options = {}): Running {
  const { PATH = "" } = process.env;
  const settings = { PATH, PROCTOR_URL: url, PROCTOR_API_KEY: apiKeys.ann, ...env };
  const child = spawn(process.execPath, [entry, ...args], { cwd, env: settings, stdio: "pipe" });
  const told = { stdout: "", stderr: "" };
  child.stdout.on("data", (piece) => {
    told.stdout += piece;
  });
  child.stderr.on("data", (piece) => {
    told.stderr += piece;
  });
  child.stdin.end(stdin ?? "");
  const ended = new Promise<Outcome>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, ...told, json: () => JSON.parse(told.stdout) }));
  });
  return { child, said: () => told.stdout + told.stderr, ended };
}

export const proctor = (url: string, args: string[], options?: Options) => start(url, args, options).ended;

/** A folder with these files; `using` removes it. */
export function folder(files: Record<string, string>) {
  const path = mkdtempSync(join(tmpdir(), "proctor-cli-"));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
