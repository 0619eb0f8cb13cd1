// `proctor doctor`: one line per check, with the way out of each problem.
import type { Command } from "commander";
import { type Config, readConfig } from "../config.ts";
import { type Check, failed, passed } from "../lib/check.ts";
import { checkDisk } from "../lib/disk.ts";
import { type Connection, remote, targetOf } from "./connection.ts";
import { checkLatency } from "./disk-checks.ts";
import { checkLyceum } from "./lyceum-checks.ts";
import { action, exitCodes, printJson, UsageError } from "./outcome.ts";
import { checkService } from "./service-checks.ts";
import { print } from "./terminal.ts";

export function addDoctor(program: Command): void {
  remote(program.command("doctor").description("check settings, service, key, callbacks and clock")).action(
    action(doctor),
  );
}

async function doctor(signal: AbortSignal, options: Connection) {
  const here = [nodeVersion(), ...(await machine(process.env, signal))];
  const there = await service(options, signal);
  // The service checks its disk itself.
  const served = new Set(there.map(({ check }) => check));
  const checks = [...here.filter(({ check }) => !served.has(check)), ...there];
  const isOk = checks.every(({ ok }) => ok);
  if (options.json === true) printJson({ ok: isOk, checks });
  else for (const check of checks) print(line(check));
  return isOk ? exitCodes.succeeded : exitCodes.failed;
}

function line({ ok, check, detail, hint }: Check): string {
  return `${ok ? "✔" : "✘"} ${check.padEnd(10)} ${detail}${hint === undefined ? "" : `\n    → ${hint}`}`;
}

function nodeVersion(): Check {
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
async function machine(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<Check[]> {
  if (!["LYCEUM_API_KEY", "LYCEUM_EMAIL", "API_KEYS"].some((name) => env[name])) return [];
  const result = readConfig(env);
  if (!result.ok)
    return result.problems.map(({ name, problem }) => ({
      check: "settings",
      ok: false,
      detail: `${name} ${problem}`,
    }));
  const notes = result.warnings.length === 0 ? "" : ` (${result.warnings.join("; ")})`;
  const { config } = result;
  return [
    passed("settings", `valid${notes}`),
    ...(await database(config.database)),
    ...(await checkLyceum(config, signal)),
  ];
}

async function database(target: Config["database"]): Promise<Check[]> {
  try {
    if (target.kind === "sqlite") return [...(await checkDisk(target.path)), await checkLatency(target.path)];
    const { poolerMode } = await import("../app/maintenance.ts");
    const mode = await poolerMode(target.url);
    if (mode === "session") return [passed("postgres", "answers; connections are not shared by a pooler")];
    if (mode === "transaction") return [passed("postgres", "answers, through a pooler in transaction mode")];
    return [
      failed("postgres", "the pooler is in statement mode", "set its pool_mode to transaction or session"),
    ];
  } catch (error) {
    return [
      failed("database", (error as Error).message, "check DATABASE_URL and the permissions of its folder"),
    ];
  }
}

async function service(options: Connection, signal: AbortSignal): Promise<Check[]> {
  try {
    return await checkService(targetOf(options), signal);
  } catch (error) {
    if (error instanceof UsageError) return [{ check: "key", ok: false, detail: error.message }];
    throw error;
  }
}
