// The files for Fly.io, read as TOML and held against the service. Fly publishes no schema of them.
import { parse } from "smol-toml";
import { z } from "zod";
import {
  graceProblems,
  limitProblems,
  ports,
  probeProblems,
  seconds,
  settingProblems,
} from "../service-facts.ts";

const duration = z.string().regex(/^\d+s$/);
const size = z.string().regex(/^\d+(mb|gb)$/i);
const port = z.int().min(1).max(65_535);

/** The part of fly.toml that the files use, strictly: a misspelt key is an error. */
const flyToml = z.strictObject({
  app: z.string(),
  primary_region: z.string().length(3),
  kill_signal: z.literal("SIGTERM"),
  kill_timeout: duration,
  env: z.record(z.string(), z.string()),
  deploy: z
    .strictObject({
      strategy: z.enum(["rolling", "immediate", "canary", "bluegreen"]),
      max_unavailable: z.number(),
    })
    .optional(),
  mounts: z
    .array(
      z.strictObject({
        source: z.string().regex(/^[a-z0-9_]{1,30}$/),
        destination: z.string().startsWith("/"),
        initial_size: size,
        snapshot_retention: z.int().min(1).max(60),
        auto_extend_size_threshold: z.int().min(50).max(99),
        auto_extend_size_increment: size,
        auto_extend_size_limit: size,
      }),
    )
    .max(1)
    .optional(),
  http_service: z.strictObject({
    internal_port: port,
    force_https: z.literal(true),
    // A stopped machine polls and starts nothing.
    auto_stop_machines: z.literal("off"),
    auto_start_machines: z.boolean(),
    min_machines_running: z.int().min(1),
    checks: z.array(
      z.strictObject({
        method: z.literal("GET"),
        path: z.string(),
        interval: duration,
        timeout: duration,
        grace_period: duration,
      }),
    ),
  }),
  metrics: z.strictObject({ port, path: z.string() }),
  restart: z.array(z.strictObject({ policy: z.enum(["always", "on-failure", "never"]) })),
  vm: z.array(z.strictObject({ size: z.string(), memory: size })),
});

export function flyProblems(text: string): string[] {
  const read = flyToml.safeParse(parse(text));
  if (!read.success) return read.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  const { env, http_service, metrics, mounts, kill_timeout } = read.data;
  const known = ports(env);
  const [mount] = mounts ?? [];
  const file = /^sqlite:(.+)$/.exec(env.DATABASE_URL ?? "")?.[1];
  const isStored = mount === undefined ? file === undefined : file?.startsWith(`${mount.destination}/`);
  return [
    ...settingProblems(env),
    ...(http_service.internal_port === known.api ? [] : [`internal_port is not ${known.api}`]),
    ...(metrics.port === known.metrics ? [] : [`metrics.port is not ${known.metrics}`]),
    ...[metrics.path, ...http_service.checks.map(({ path }) => path)].flatMap(probeProblems),
    ...graceProblems(seconds(kill_timeout), env),
    ...limitProblems(env),
    ...(isStored ? [] : ["the database is not on the volume"]),
    ...(mount !== undefined && http_service.min_machines_running > 1
      ? ["a volume has one machine, and a SQLite file one process"]
      : []),
  ];
}
