// URL and API key of the service that a command talks to.
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

export function remote(command: Command): Command {
  return command
    .option("--url <url>", "URL of the service; default PROCTOR_URL, else http://127.0.0.1:8080")
    .option("--key-file <file>", "file with the API key; default PROCTOR_API_KEY")
    .option("--key <key>", "the API key; visible to other users of this machine, so prefer the environment")
    .option("--json", "print only a JSON document, or JSON lines for streams");
}

export function connect(options: Connection): Client {
  return createClient(targetOf(options));
}

export function targetOf(options: Connection): { url: string; apiKey: string } {
  const url = options.url ?? (process.env.PROCTOR_URL || "http://127.0.0.1:8080");
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url))
    throw new UsageError("the service's URL is invalid; write it as https://…");
  return { url, apiKey: keyOf(options) };
}

function keyOf({ key, keyFile }: Connection): string {
  const found = key ?? (keyFile === undefined ? process.env.PROCTOR_API_KEY : read(keyFile));
  // Do not quote the key: it may be valid except for a typo.
  if (found === undefined || !/^[\x21-\x7e]+$/.test(found.trim()))
    throw new UsageError(
      "the API key is missing or invalid: set PROCTOR_API_KEY, or name a file with --key-file",
    );
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
