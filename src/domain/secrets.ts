// The secrets of a run, hidden wherever they are quoted: environment values, logins, and the strings in `extra`.
import type { RunSpec } from "./spec.ts";

/** The fields of a spec that hold logins. */
export const LOGIN_FIELDS = [
  "docker_username",
  "docker_password",
  "aws_access_key_id",
  "aws_secret_access_key",
  "aws_session_token",
] as const;

/** @param callbackUrl a secret, too: its token authorizes callbacks */
export function secretsOf(spec: RunSpec, callbackUrl: string | null = null): string[] {
  const secrets: (string | undefined)[] = [
    callbackUrl ?? undefined,
    callbackUrl?.split("/").at(-1),
    ...(spec.kind === "compose" ? [] : Object.values(spec.env ?? {})),
    ...stringsIn(spec.extra),
  ];
  if (spec.kind === "image" || spec.kind === "compose")
    secrets.push(...LOGIN_FIELDS.map((name) => spec[name]));
  if (spec.kind === "image") {
    // Some executors split the variables at white space, newer executors at newlines only [cli].
    const given = spec.docker_run_env ?? "";
    const entries = new Set([...given.split(/\s+/), ...given.split(/[\r\n]+/)]);
    secrets.push(...[...entries].map((entry) => entry.slice(entry.indexOf("=") + 1)));
  }
  return secrets.filter((secret): secret is string => Boolean(secret));
}

function stringsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(stringsIn);
}
