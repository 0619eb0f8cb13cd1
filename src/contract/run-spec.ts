// The runs of a submission: Lyceum's own request fields under Lyceum's names, checked against Lyceum's limits
// [api-reference/streaming-execution, docker-execution, docker-compose-execution, gpu-selection-execution].
import { z } from "zod";
import type { Matrix } from "../domain/matrix.ts";
import type { Policy } from "../domain/run.ts";
import type { RunSpec } from "../domain/spec.ts";
import { onLost, retry } from "./policy.ts";

const optional = <T extends z.ZodType>(schema: T) =>
  schema.nullish().transform((value) => value ?? undefined);

const text = z.string();
const credential = optional(z.string().min(1).max(4_096));
const timeout = z
  .int()
  .min(1, "must be 1 or more: Lyceum takes whole seconds from 1 to 600")
  .max(600, "must be 600 or less: Lyceum's limit in seconds")
  .default(60)
  .describe("Seconds after which Lyceum ends an execution.");
const executionType = z
  .string()
  .regex(
    /^[a-zA-Z0-9_.]+$/,
    "must be a hardware profile of letters, digits, dots and underscores, such as cpu or gpu.a100",
  )
  .max(100)
  .default("cpu")
  .describe("Lyceum's hardware profile.");
const NBCODE = "must be 0 (plain Python) or 1 (notebook code)";
const LYCEUM_GRACE = "must be from 1 to 300: Lyceum's limits in seconds";
const gracefulTimeout = optional(z.int().min(1, LYCEUM_GRACE).max(300, LYCEUM_GRACE)).describe(
  "Seconds between the request to stop and the kill.",
);
const s3Mount = z.boolean().describe("Mount the account's bucket.");
/** A name for people. One line, because lists and tables show it. */
export const label = z
  .string()
  .min(1)
  .max(200)
  .refine((text) => !/\p{Cc}/u.test(text), "must not contain control characters")
  .refine((text) => text.isWellFormed(), "must not contain half of a surrogate pair")
  // The same as \p{Cc}, which the regular expressions of other languages cannot read.
  .meta({ pattern: "^[^\\x00-\\x1f\\x7f-\\x9f]*$" });
const name = optional(label).describe("Shown in lists and in the run's `file_name` at Lyceum.");

const variable = z
  .string()
  .regex(
    /^[A-Za-z_][A-Za-z0-9_]*$/,
    "must be a variable name of letters, digits and underscores that does not begin with a digit",
  );
/** Environments are UTF-8 without NUL. */
const isEnvValue = (value: string) => !value.includes("\0") && value.isWellFormed();
const NO_ENV_VALUE = "must not contain NUL or half of a surrogate pair";
const envValue = z.string().refine(isEnvValue, NO_ENV_VALUE);
const env = z.record(variable, envValue);
/** Lyceum separates variables by newlines and documents no escaping. */
const oneLine = envValue.regex(/^[^\r\n]*$/, "must be one line: Lyceum separates variables by newlines");
const dockerEnv = z.record(variable, oneLine);

const values = <T extends z.ZodType>(value: T) =>
  optional(
    z
      .record(variable, z.array(value).min(1).max(10_000))
      .refine((matrix) => Object.keys(matrix).length > 0, "must have at least one name")
      .refine((matrix) => Object.keys(matrix).length <= 32, "must have at most 32 names"),
  ).describe("Makes one run per combination, with the values in its `env`.");
const matrix = values(envValue);
const dockerMatrix = values(oneLine);

const path = z
  .string()
  .min(1)
  .max(500)
  .refine(
    (value) => !/(^\/|\\|\0|(^|\/)\.\.(\/|$))/.test(value),
    "must be a relative path without .. or backslashes",
  );
const files = z
  .record(path, z.string())
  .refine((value) => Object.keys(value).length <= 1_000, "must have at most 1000 files");

const extra = optional(z.record(z.string(), z.unknown())).describe(
  "Passed on to Lyceum unchanged, for fields that Proctor does not know.",
);
const common = {
  retry: optional(retry).describe("Replaces the job's `retry`."),
  on_lost: optional(onLost).describe("Replaces the job's `on_lost`."),
  name,
  timeout,
  extra,
};
const code = {
  ...common,
  code: text.min(1),
  nbcode: optional(z.int().min(0, NBCODE).max(1, NBCODE)).describe("0: plain Python, 1: notebook code."),
  requirements_content: optional(text).describe("Text of a requirements.txt."),
  prior_imports: optional(z.array(text.min(1)).max(200)).describe("Modules to import first."),
  kernel_state: optional(text),
  import_files: optional(text.refine(isJsonObject, "must be a JSON object as text")).describe(
    "JSON object as text, in Lyceum's format; prefer `files`.",
  ),
  files: optional(files).describe("Text by relative path; becomes `import_files`."),
  matrix,
  env: optional(env).describe(
    "Set by code in front of `code`: Lyceum has no per-run environment for Python.",
  ),
};
const registry = {
  docker_registry_credential_type: optional(z.enum(["aws", "basic"])),
  docker_username: credential,
  docker_password: credential,
  aws_access_key_id: credential,
  aws_secret_access_key: credential,
  aws_session_token: credential,
  aws_region: optional(z.string().min(1).max(100)),
};

const python = z
  .strictObject({ kind: z.literal("python"), ...code, execution_type: executionType })
  .meta({ id: "PythonRun" });
const gpuSelection = z.strictObject({ kind: z.literal("gpu_selection"), ...code }).meta({
  id: "GpuSelectionRun",
  description: "Runs the same code on several kinds of hardware and compares them.",
});
const image = z
  .strictObject({
    kind: z.literal("image"),
    ...common,
    ...registry,
    docker_image_ref: text.min(1).max(1_000),
    docker_run_cmd: z.array(z.string()).max(1_000).default([]),
    docker_run_env: optional(text).describe("One `NAME=value` per line; prefer `env`."),
    matrix: dockerMatrix,
    env: optional(dockerEnv).describe("Becomes `docker_run_env`."),
    execution_type: executionType,
    job_type: optional(z.string().min(1).max(100)),
    enable_s3_mount: s3Mount.default(true),
    graceful_timeout: gracefulTimeout,
  })
  .meta({ id: "ImageRun" });
const compose = z
  .strictObject({
    kind: z.literal("compose"),
    ...common,
    ...registry,
    compose_file_code: text.min(1),
    execution_type: executionType,
    enable_s3_mount: s3Mount.default(false),
    graceful_timeout: gracefulTimeout,
  })
  .meta({ id: "ComposeRun" });

/** Two fields for the same thing are refused rather than one silently dropped. */
export const runSpec = z
  .discriminatedUnion("kind", [python, image, compose, gpuSelection])
  .superRefine((run, context) => {
    for (const key of Object.keys(run.extra ?? {}).filter((field) => isTaken(field, run.kind))) {
      const message = "is not allowed in extra: Proctor sets it, or the run has a field for it";
      context.addIssue({ code: "custom", path: ["extra", key], message });
    }
    const both = (ours: string, theirs: string) =>
      context.addIssue({
        code: "custom",
        path: [theirs],
        message: `give either ${ours} or ${theirs}, not both`,
      });
    if ("files" in run && run.files !== undefined && run.import_files !== undefined)
      both("files", "import_files");
    if (run.kind === "image" && run.docker_run_env !== undefined) {
      if (run.env !== undefined) both("env", "docker_run_env");
      if (run.matrix !== undefined) both("matrix", "docker_run_env");
    }
    if (!("matrix" in run) || run.matrix === undefined) return;
    for (const name of Object.keys(run.matrix).filter((name) => Object.hasOwn(run.env ?? {}, name))) {
      context.addIssue({ code: "custom", path: ["matrix", name], message: "is also given in env" });
    }
  });

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/** Fields that Proctor sets or validates must not be passed in `extra`. */
function isTaken(field: string, kind: keyof typeof fieldsOf): boolean {
  return always.includes(field) || Object.hasOwn(fieldsOf[kind], field);
}

const always = ["file_name", "user_callback_urls", "machine_type", "execution_type"];
const fieldsOf = {
  python: python.shape,
  image: image.shape,
  compose: compose.shape,
  gpu_selection: gpuSelection.shape,
};

export function entryOf(run: z.output<typeof runSpec>): Entry {
  const { retry, on_lost, matrix = null, ...spec } = { matrix: undefined, ...run };
  const policy = {
    ...(retry === undefined ? {} : { retry: { maxAttempts: retry.max_attempts, on: retry.on } }),
    ...(on_lost === undefined ? {} : { onLost: on_lost }),
  };
  return { spec, matrix, policy };
}

interface Entry {
  spec: RunSpec;
  matrix: Matrix | null;
  policy: Partial<Policy>;
}

/** Hints for unknown fields that people try. */
export const hints: Record<string, string> = {
  machine_type: "choose the hardware with execution_type",
  file_name: "Proctor sets it to the execution's id; use name for the run's name",
  user_callback_urls: "Proctor sets it; to be notified of the end, create a webhook",
  requirements: "Lyceum's field is requirements_content",
  region: "Lyceum's field is aws_region",
  docker_image: "Lyceum's field is docker_image_ref",
  image: "Lyceum's field is docker_image_ref",
  docker_cmd: "Lyceum's field is docker_run_cmd",
  command: "Lyceum's field is docker_run_cmd",
  docker_env: "Lyceum's field is docker_run_env; or use env",
  callback_url: "Proctor sets the callbacks",
  timeout_s: "Lyceum's field is timeout, in seconds",
  matrix: "this kind has no env to put the values into",
  webhook_url: "it belongs to the job, beside runs",
};
