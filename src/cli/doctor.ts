// `proctor doctor`: one line per check, with the way out of each problem. Checks the settings if it runs beside the
// service, and the running service over HTTP.
import type { Command } from "commander";
import { readConfig } from "../config.ts";
import { type Connection, remote, targetOf } from "./connection.ts";
import { action, exitCodes, printJson, UsageError } from "./outcome.ts";
import { checkService, type Finding } from "./service-checks.ts";
import { print } from "./terminal.ts";

export function addDoctor(program: Command): void {
  remote(program.command("doctor").description("check settings, service, key, callbacks and clock")).action(
    action(doctor),
  );
}

async function doctor(signal: AbortSignal, options: Connection) {
  const findings = [nodeVersion(), ...settings(process.env), ...(await service(options, signal))];
  const isOk = findings.every(({ ok }) => ok);
  if (options.json === true) printJson({ ok: isOk, checks: findings });
  else for (const finding of findings) print(line(finding));
  return isOk ? exitCodes.succeeded : exitCodes.failed;
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
    hint: "the service needs Node 26, which `npm run` and `npm exec` use",
  };
}

/** Skipped without settings: a client's machine needs none. */
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
  return [{ check: "settings", ok: true, detail: `valid${notes}` }];
}

async function service(options: Connection, signal: AbortSignal): Promise<Finding[]> {
  try {
    return await checkService(targetOf(options), signal);
  } catch (error) {
    if (error instanceof UsageError) return [{ check: "key", ok: false, detail: error.message }];
    throw error;
  }
}
