// Builds the body of a submission from the command line.
import { basename } from "node:path";
import type { JobRequest, RetryClass, RunRequest } from "../client/client.ts";
import { retryClasses } from "../domain/run.ts";
import { parseDuration } from "../lib/duration.ts";
import { pythonValue, withStatement } from "../lib/python-source.ts";
import { read } from "./connection.ts";
import { type Gathered, gather } from "./gather.ts";
import { UsageError } from "./outcome.ts";

export interface RunOptions {
  image?: string;
  gpu?: string;
  executionType?: string;
  timeout?: string;
  env?: Record<string, string>;
  matrix?: Record<string, string>;
}

export interface JobOptions extends RunOptions {
  name?: string;
  retry?: string;
  priority?: number;
  maxParallel?: number;
  deadline?: string;
  budget?: number;
  webhookUrl?: string;
  metadata?: string;
}

export interface BuiltRequest {
  request: JobRequest;
  gathered: Gathered | null;
}

/** @throws UsageError */
export function buildRequest(operands: string[], options: JobOptions): BuiltRequest {
  const { image } = options;
  if (image !== undefined)
    return { request: jobOf([imageRun(image, operands, options)], options), gathered: null };
  const [target, ...args] = operands;
  if (target === undefined)
    throw new UsageError("give a file.py or job.json (- reads stdin), or an image with --image");
  if (target.endsWith(".py")) {
    const gathered = gather(target);
    return { request: jobOf([pythonRun(target, args, gathered, options)], options), gathered };
  }
  if (target !== "-" && !target.endsWith(".json"))
    throw new UsageError(`${target} is neither a .py nor a .json file; give an image with --image`);
  return { request: { ...documentOf(target, args, options), ...jobFields(options) }, gathered: null };
}

function pythonRun(script: string, args: string[], gathered: Gathered, options: RunOptions): RunRequest {
  const { files, requirements } = gathered;
  const text = read(script);
  const argv = [basename(script), ...args];
  // Lyceum has no field for arguments; its own CLI also sets them in the code.
  const code =
    args.length === 0 ? text : withStatement(text, `__import__("sys").argv[:] = ${pythonValue(argv)}`);
  return {
    kind: "python",
    name: basename(script),
    code,
    ...(Object.keys(files).length === 0 ? {} : { files }),
    ...(requirements === null ? {} : { requirements_content: requirements }),
    ...runFields(options),
  };
}

function imageRun(image: string, command: string[], options: RunOptions): RunRequest {
  return { kind: "image", docker_image_ref: image, docker_run_cmd: command, ...runFields(options) };
}

function documentOf(path: string, args: string[], options: RunOptions): JobRequest {
  const ofRuns = ["gpu", "executionType", "timeout", "env", "matrix"] as const;
  if (args.length > 0 || ofRuns.some((name) => options[name] !== undefined))
    throw new UsageError("options for runs cannot be combined with a job.json; write them into the file");
  let document: unknown;
  try {
    document = JSON.parse(read(path));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${path} is not JSON`);
  }
  if (typeof document !== "object" || document === null || Array.isArray(document))
    throw new UsageError(`${path} is not a JSON object with runs`);
  return document as JobRequest;
}

function jobOf(runs: RunRequest[], options: JobOptions): JobRequest {
  return { runs, ...jobFields(options) };
}

function jobFields(options: JobOptions): Omit<JobRequest, "runs"> {
  const { name, retry, priority, maxParallel, deadline, budget, webhookUrl, metadata } = options;
  return definedFields({
    name,
    retry: retry === undefined ? undefined : readRetry(retry),
    priority,
    max_parallel: maxParallel,
    deadline_s: deadline === undefined ? undefined : seconds(deadline, "--deadline"),
    budget,
    webhook_url: webhookUrl,
    metadata: metadata === undefined ? undefined : readJson(metadata),
  });
}

function runFields({ gpu, executionType, timeout, env, matrix }: RunOptions) {
  if (gpu !== undefined && executionType !== undefined)
    throw new UsageError("--gpu a100 is short for --execution-type gpu.a100: give only one of them");
  return definedFields({
    execution_type: gpu === undefined ? executionType : `gpu.${gpu.replace(/^gpu\./, "")}`,
    timeout: timeout === undefined ? undefined : seconds(timeout, "--timeout"),
    env,
    matrix: matrix === undefined ? undefined : mapValues(matrix, (values) => values.split(",")),
  });
}

/** `3`, or `3:system_failure,timeout`. */
function readRetry(text: string): { max_attempts: number; on: RetryClass[] } {
  const [, attempts, classes = "system_failure"] = /^(\d{1,2})(?::(.+))?$/.exec(text) ?? [];
  const on = classes.split(",") as RetryClass[];
  if (attempts === undefined || !on.every((retryClass) => retryClasses.includes(retryClass)))
    throw new UsageError(
      `--retry takes attempts[:${retryClasses.join(",")}], such as 3 or 3:system_failure,timeout`,
    );
  return { max_attempts: Number(attempts), on };
}

/** `90` or `5m`. */
export function seconds(text: string, option: string): number {
  const ms = parseDuration(/^\d+$/.test(text) ? `${text}s` : text);
  if (ms === null || ms < 1_000)
    throw new UsageError(`${option} takes seconds, or a duration such as 90s, 5m or 2h`);
  return Math.round(ms / 1_000);
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError("--metadata takes JSON");
  }
}

/** Drops undefined fields, so that the service's defaults apply. */
function definedFields<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

function mapValues<T, U>(record: Record<string, T>, change: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}
