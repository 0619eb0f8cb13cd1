// The settings, routes and paths of the current code, for the checks of files for operators.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import packageJson from "../../package.json" with { type: "json" };
import { settingNames } from "../../src/config/environment.ts";
import { type Config, readConfig } from "../../src/config.ts";
import { routes } from "../../src/http/app.ts";

export const root = fileURLToPath(new URL("../..", import.meta.url));

/** Reads a file of the repository; the path counts from its root. */
export function read(path: string): string {
  return readFileSync(`${root}/${path}`, "utf8");
}

export function exists(path: string): boolean {
  return existsSync(`${root}/${path}`);
}

/** Variables of the runtime, not of Proctor. */
const RUNTIME_NAMES = ["NODE_ENV", "NODE_COMPILE_CACHE"];

/** Settings without which no service starts; a file may leave them to a secret. */
const SECRETS = {
  LYCEUM_API_KEY: "lk_from_a_secret",
  API_KEYS: "worker:0123456789abcdef0123456789abcdef",
  CALLBACK_SECRETS: "0123456789abcdef0123456789abcdef",
};

/** Says which settings do not exist, and what the service itself would refuse or warn of. */
export function settingProblems(env: Record<string, string>): string[] {
  const unknown = Object.keys(env)
    .filter((name) => !settingNames.includes(name) && !RUNTIME_NAMES.includes(name))
    .map((name) => `${name} is no setting`);
  const result = readConfig({ ...SECRETS, ...env });
  if (result.ok) return unknown;
  return [...unknown, ...result.problems.map(({ name, problem }) => `${name} ${problem}`)];
}

/** Says if a path that is to be asked by GET has no route that is open to everybody. */
export function probeProblems(path: string): string[] {
  const isOpen = routes.some(
    (route) => route.method === "GET" && route.path === path && route.access === "open",
  );
  return isOpen ? [] : [`${path} is no open route`];
}

function configOf(env: Record<string, string>): Config {
  const result = readConfig({ ...SECRETS, ...env });
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.config;
}

/** The ports of the API and of the metrics under these settings; null where the API serves the metrics. */
export function ports(env: Record<string, string>): { api: number; metrics: number | null } {
  const { listen, metricsPort } = configOf(env);
  return { api: listen.port, metrics: metricsPort };
}

/** Says if the service could still be at work when it is killed. */
export function graceProblems(killedAfterSeconds: number, env: Record<string, string>): string[] {
  const graceMs = configOf(env).shutdownGraceMs;
  const isLong = killedAfterSeconds * 1000 > graceMs + 5_000;
  return isLong ? [] : [`killed after ${killedAfterSeconds} s, with a SHUTDOWN_GRACE of ${graceMs} ms`];
}

/** Seconds of a text such as `35s`, the one form that these files use. */
export function seconds(text: string): number {
  return Number(/^(\d+)s?$/.exec(text)?.[1] ?? Number.NaN);
}

/** Says if the instances, which share their limits, would start more than the service does by default. */
export function limitProblems(env: Record<string, string>): string[] {
  const [most, own] = [configOf({}).submit, configOf(env).submit];
  const perMs = (limit: typeof own.limit) => (limit === null ? Infinity : limit.max / limit.windowMs);
  return [
    ...(perMs(own.limit) > perMs(most.limit) ? ["SUBMIT_LIMIT is above Lyceum's"] : []),
    ...(own.concurrency > most.concurrency ? ["SUBMIT_CONCURRENCY is above the default"] : []),
  ];
}

/** The commands that the image's entry point takes. */
export const commands = ["serve", "migrate", "emulate", "doctor"];

export const nodeVersion = packageJson.devDependencies.node;
export const entryPoint = packageJson.bin.proctor;
