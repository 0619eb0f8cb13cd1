// Directives: switches for a single run, written inside its code, command or file.
import { type RunChanges, runChangesSchema } from "./switches.ts";

/** Syntax of a directive; shown by `GET /__emulator`. */
export const directiveHelp = [
  "In code, compose text or a command item: # emulator: callback=lost,double status=system_failure delay=500ms",
  "In docker_run_env: EMULATOR=callback=late lateness=2s body=form",
  "name=value pairs with blanks between them; several directives add up.",
  "A chance is a probability, or a count: mixed_up=0.5 fields_when=next2 .",
  "Effects are written name=effect,effect and may carry a chance: callback=lost:0.5 abort=409:next1 .",
  "Fields: fields=record.result:@nan,record.return_code:4294967295 with no comma or blank in a value.",
  "Gateway: gateway=records:backend:next3,artifacts:page with a chance or without; calls about this run only.",
  "Unknown names are answered 422.",
];

type Directive = { ok: true; changes: RunChanges | undefined } | { ok: false; problem: string };

/** Undefined without directives. A wrong name or value is a problem, never ignored. */
export function readDirectives(texts: readonly string[]): Directive {
  const raw: Record<string, unknown> = {};
  for (const text of texts) {
    if (!text.includes("emulator:") && !text.includes("EMULATOR=")) continue;
    for (const [, line = ""] of text.matchAll(/(?:#\s*emulator:|^EMULATOR=)(.*)$/gm)) {
      for (const pair of line.split(/\s+/).filter((part) => part !== "")) {
        const [name = "", value] = split(pair, "=");
        if (value === undefined)
          return { ok: false, problem: `emulator directive: ${pair} is not name=value` };
        raw[name] = (readers[name] ?? valueFrom)(value);
      }
    }
  }
  if (Object.keys(raw).length === 0) return { ok: true, changes: undefined };
  const parsed = runChangesSchema.safeParse(raw);
  if (parsed.success) return { ok: true, changes: parsed.data };
  const problems = parsed.error.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`.trim());
  return { ok: false, problem: `emulator directive: ${problems.join("; ")}` };
}

/** Switches whose value is more than a number or word. */
const readers: Record<string, (value: string) => unknown> = {
  abort: effectsFrom,
  answer: effectsFrom,
  callback: effectsFrom,
  logs: effectsFrom,
  hidden: effectsFrom,
  mixed_up: chanceFrom,
  fields_when: chanceFrom,
  fields: (value) => Object.fromEntries(value.split(",").map((part) => split(part, ":"))),
  gateway: (value) => value.split(",").map(ruleFrom),
};

function effectsFrom(value: string): Record<string, unknown> {
  const entries = value.split(",").map((part) => split(part, ":"));
  return Object.fromEntries(entries.map(([effect, chance]) => [effect, chanceFrom(chance ?? "1")]));
}

function chanceFrom(value: string): unknown {
  const next = /^next(\d+)$/.exec(value)?.[1];
  return next === undefined ? Number(value) : { next: Number(next) };
}

function ruleFrom(value: string): object {
  const [routes, answer, chance] = value.split(":");
  return { routes, answer, when: chanceFrom(chance ?? "1") };
}

function valueFrom(value: string): string | number {
  return /^\d+$/.test(value) ? Number(value) : value;
}

function split(text: string, at: string): [string, string | undefined] {
  const index = text.indexOf(at);
  return index === -1 ? [text, undefined] : [text.slice(0, index), text.slice(index + 1)];
}
