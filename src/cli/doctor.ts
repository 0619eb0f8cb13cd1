// `proctor doctor`: what stands in the way, one line per check, each with the way out. Looks at the settings where it
// runs beside the service, and at the running service over HTTP.
import type { Command } from "commander";
import { readConfig } from "../config.ts";
import { type Connection, placeOf, remote } from "./connection.ts";
import { action, exitCodes, printJson, UsageError } from "./outcome.ts";
import { type Finding, inspect } from "./service-checks.ts";
import { print } from "./terminal.ts";

export function addDoctor(program: Command): void {
  remote(
    program
      .command("doctor")
      .description("check settings, service, key, callbacks and clock, and say the way out"),
  ).action(action(doctor));
}

async function doctor(signal: AbortSignal, options: Connection) {
  const findings = [nodeVersion(), ...settings(process.env), ...(await service(options, signal))];
  const isWell = findings.every(({ ok }) => ok);
  if (options.json === true) printJson({ ok: isWell, checks: findings });
  else for (const finding of findings) print(line(finding));
  return isWell ? exitCodes.succeeded : exitCodes.failed;
}

function line({ ok, check, detail, hint }: Finding): string {
  return `${ok ? "✔" : "✘"} ${check.padEnd(10)} ${detail}${hint === undefined ? "" : `\n    → ${hint}`}`;
}

function nodeVersion(): Finding {
  const ok = Number(process.versions.node.split(".")[0]) >= 26;
  const detail = `Node ${process.versions.node}`;
  if (ok) return { check: "node", ok, detail };
  return {
    check: "node",
    ok,
    detail,
    hint: "the service needs Node 26; `npm run` and `npm exec` bring it along",
  };
}

/** Only where there are any: a client's machine has none, and needs none. */
function settings(env: NodeJS.ProcessEnv): Finding[] {
  if (!["LYCEUM_API_KEY", "LYCEUM_EMAIL", "API_KEYS"].some((name) => env[name])) return [];
  const reading = readConfig(env);
  if (!reading.ok)
    return reading.problems.map(({ name, problem }) => ({
      check: "settings",
      ok: false,
      detail: `${name} ${problem}`,
    }));
  const notes = reading.warnings.length === 0 ? "" : ` (${reading.warnings.join("; ")})`;
  return [{ check: "settings", ok: true, detail: `can be read${notes}` }];
}

async function service(options: Connection, signal: AbortSignal): Promise<Finding[]> {
  try {
    return await inspect(placeOf(options), signal);
  } catch (error) {
    if (error instanceof UsageError) return [{ check: "key", ok: false, detail: error.message }];
    throw error;
  }
}
