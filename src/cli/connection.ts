// Which service a command talks to, and with which key.
import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { type Client, createClient } from "../client/client.ts";
import { UsageError } from "./outcome.ts";

export interface Connection {
  url?: string;
  keyFile?: string;
  key?: string;
  json?: boolean;
}

/** The options that all commands of a running service share. */
export function remote(command: Command): Command {
  return command
    .option("--url <url>", "the service; default PROCTOR_URL, else http://127.0.0.1:8080")
    .option("--key-file <file>", "a file that holds the API key; default PROCTOR_API_KEY")
    .option(
      "--key <key>",
      "the API key itself: others on this machine can read it, the environment is better",
    )
    .option("--json", "one JSON document on stdout, or JSON lines where it streams, and nothing else");
}

export function connect(options: Connection): Client {
  return createClient(placeOf(options));
}

export function placeOf(options: Connection): { url: string; apiKey: string } {
  const url = options.url ?? (process.env.PROCTOR_URL || "http://127.0.0.1:8080");
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url))
    throw new UsageError("the service's URL is none; write it as https://…");
  return { url, apiKey: keyOf(options) };
}

function keyOf({ key, keyFile }: Connection): string {
  const found = key ?? (keyFile === undefined ? process.env.PROCTOR_API_KEY : read(keyFile));
  // Not quoted: it may be a key with a slip in it.
  if (found === undefined || !/^[\x21-\x7e]+$/.test(found.trim()))
    throw new UsageError("there is no API key: set PROCTOR_API_KEY, or name a file with --key-file");
  return found.trim();
}

/** @throws UsageError */
export function read(path: string): string {
  try {
    return readFileSync(path === "-" ? 0 : path, "utf8");
  } catch (error) {
    throw new UsageError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
