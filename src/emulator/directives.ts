// Directives: switches for one run, written inside what it runs.
import { effectSwitches, type RunChanges, runChangesSchema } from "./switches.ts";

/** How a directive is written; shown by `GET /__emulator`. */
export const directiveHelp = [
  "In code, compose text or a command item: # emulator: callback=lost,double status=system_failure delay=500ms",
  "In docker_run_env: EMULATOR=callback=late lateness=2s body=form",
  "name=value pairs with blanks between them; several directives add up.",
  "Effects are written name=effect,effect and may carry a probability: callback=lost:0.5 .",
  "Unknown names are answered 422.",
];

type Directive = { ok: true; changes: RunChanges | undefined } | { ok: false; problem: string };

/**
 * Reads every directive in the given texts; `changes` is undefined when there is none.
 * Only the per-run switches are allowed; a wrong name or value is a problem, not a silent nothing.
 */
export function readDirectives(texts: readonly string[]): Directive {
  const raw: Record<string, unknown> = {};
  for (const text of texts) {
    if (!text.includes("emulator:") && !text.includes("EMULATOR=")) continue;
    for (const [, line = ""] of text.matchAll(/(?:#\s*emulator:|^EMULATOR=)(.*)$/gm)) {
      for (const pair of line.split(/\s+/).filter((part) => part !== "")) {
        const [name = "", value] = split(pair, "=");
        if (value === undefined)
          return { ok: false, problem: `emulator directive: ${pair} is not name=value` };
        raw[name] = effectSwitches.has(name) ? effectsFrom(value) : valueFrom(value);
      }
    }
  }
  if (Object.keys(raw).length === 0) return { ok: true, changes: undefined };
  const parsed = runChangesSchema.safeParse(raw);
  if (parsed.success) return { ok: true, changes: parsed.data };
  const problems = parsed.error.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`.trim());
  return { ok: false, problem: `emulator directive: ${problems.join("; ")}` };
}

function effectsFrom(value: string): Record<string, number> {
  const entries = value.split(",").map((part) => split(part, ":"));
  return Object.fromEntries(entries.map(([effect, likelihood]) => [effect, Number(likelihood ?? 1)]));
}

function valueFrom(value: string): string | number {
  return /^\d+$/.test(value) ? Number(value) : value;
}

function split(text: string, at: string): [string, string | undefined] {
  const index = text.indexOf(at);
  return index === -1 ? [text, undefined] : [text.slice(0, index), text.slice(index + 1)];
}
