// A run's spec as it was submitted, without its secrets: hidden where they were given, and wherever else they stand.
import type { SubmittedSpecView } from "../../contract/spec.ts";
import { LOGIN_FIELDS, secretsOf } from "../../domain/secrets.ts";
import type { RunSpec } from "../../domain/spec.ts";
import { createHider, HIDDEN, TooMuchToHide } from "../../lib/redact.ts";
import type { RunRow } from "../../store/run-rows.ts";

/**
 * @param spec as submitted, without the values of its matrix
 * @param isTrusted may see texts of which nobody can say what is secret in them
 */
export function viewSpec(run: RunRow, spec: RunSpec, isTrusted: boolean): SubmittedSpecView {
  const shown = hideSecretsOf(spec);
  const isUntold = spec.kind === "compose" && !isTrusted;
  return {
    run_id: run.id,
    job_id: run.job_id,
    matrix: run.matrix === null ? null : (JSON.parse(run.matrix) as Record<string, string>),
    spec: isUntold ? { ...shown, compose_file_code: null } : shown,
    note: isUntold ? "the Compose file is not shown: it may hold secrets" : null,
  };
}

export function hideSecretsOf(spec: RunSpec): SubmittedSpecView["spec"] {
  const fields = Object.entries(spec).filter(([, value]) => value !== undefined);
  const hide = hiderOf(spec);
  return Object.fromEntries(
    fields.map(([name, value]) => [name, (masks[name] ?? hide)(value)]),
  ) as SubmittedSpecView["spec"];
}

/** Fields whose values are secrets wherever they come from. */
const masks: Record<string, (value: unknown) => unknown> = {
  env: (env) => mapTexts(env, () => HIDDEN),
  extra: (extra) => mapTexts(extra, () => HIDDEN),
  docker_run_env: (text) =>
    String(text)
      .split(/[\r\n]+/)
      .filter(Boolean)
      .map(withoutValue)
      .join("\n"),
  ...Object.fromEntries(LOGIN_FIELDS.map((name) => [name, () => HIDDEN])),
};

function withoutValue(entry: string): string {
  const at = entry.indexOf("=");
  return at === -1 ? HIDDEN : `${entry.slice(0, at)}=${HIDDEN}`;
}

/** The whole text is hidden where the search would take too long. */
function hiderOf(spec: RunSpec): (value: unknown) => unknown {
  const labels = new Map(secretsOf(spec).map((secret) => [secret, HIDDEN]));
  const hider = unlessTooMuch(() => createHider(labels), null);
  return (value) =>
    mapTexts(value, (text) => (hider === null ? HIDDEN : unlessTooMuch(() => hider.hide(text), HIDDEN)));
}

function unlessTooMuch<T, F>(hide: () => T, otherwise: F): T | F {
  try {
    return hide();
  } catch (error) {
    if (error instanceof TooMuchToHide) return otherwise;
    throw error;
  }
}

function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === "string") return change(value);
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change));
  // Numbers as they were written are objects of their own kind.
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, mapTexts(item, change)]));
}
