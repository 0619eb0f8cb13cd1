// Builds the request that starts a run from its spec, strictly as the newest pages document it.
import { secretsOf } from "../domain/secrets.ts";
import type { GpuSelectionSpec, ImageSpec, PythonSpec, RunSpec } from "../domain/spec.ts";
import { takesCallback } from "../domain/spec.ts";
import { withEnvironment } from "./python-env.ts";

export interface StartRequest {
  path: string;
  body: Record<string, unknown>;
  secrets: string[];
}

export interface StartOptions {
  /** The marker (`exe_…`): travels in `file_name`, so that a start in doubt can be found. */
  executionId: string;
  callbackUrl: string | null;
}

const MAX_NAME = 60;

/** `extra` is merged last, but sets neither `file_name` nor `user_callback_urls`. `files` wins over `import_files`. */
export function startRequest(spec: RunSpec, options: StartOptions): StartRequest {
  const callbacks = takesCallback(spec.kind) && options.callbackUrl ? [options.callbackUrl] : undefined;
  const body = {
    timeout: spec.timeout,
    ...fieldsOf(spec),
    ...spec.extra,
    file_name: fileName(options.executionId, spec.name),
    user_callback_urls: callbacks,
  };
  return {
    path: paths[spec.kind],
    body: withoutUndefined(body),
    secrets: secretsOf(spec, options.callbackUrl),
  };
}

export function executionIdIn(fileName: string | null | undefined): string | null {
  return /exe_[0-9a-hjkmnp-tv-z]{26}(?![0-9a-z])/i.exec(fileName ?? "")?.[0].toLowerCase() ?? null;
}

const paths = {
  python: "/execution/streaming/start",
  image: "/execution/image/start",
  compose: "/execution/compose/start",
  gpu_selection: "/execution/gpu_selection/start",
};

function fieldsOf(spec: RunSpec): Record<string, unknown> {
  if (spec.kind === "python") return { ...code(spec), execution_type: spec.execution_type };
  // Neither hardware nor callbacks [api-reference/gpu-selection-execution/start-gpu-selection].
  if (spec.kind === "gpu_selection") return code(spec);
  const container = {
    ...registry(spec),
    execution_type: spec.execution_type,
    // The default differs between images and Compose files, so the value is always sent.
    enable_s3_mount: spec.enable_s3_mount,
    graceful_timeout: spec.graceful_timeout,
  };
  if (spec.kind === "compose") return { compose_file_code: spec.compose_file_code, ...container };
  return {
    docker_image_ref: spec.docker_image_ref,
    // Required by the reference although the vendor's CLI leaves it out when empty.
    docker_run_cmd: spec.docker_run_cmd,
    docker_run_env: dockerEnv(spec),
    job_type: spec.job_type,
    ...container,
  };
}

function code(spec: PythonSpec | GpuSelectionSpec): Record<string, unknown> {
  return {
    code: withEnvironment(spec.code, spec.env ?? {}, spec.nbcode === 1),
    nbcode: spec.nbcode,
    requirements_content: spec.requirements_content,
    prior_imports: spec.prior_imports,
    kernel_state: spec.kernel_state,
    import_files: spec.files ? JSON.stringify(spec.files) : spec.import_files,
  };
}

/** Newer executors split on newlines only [cli]; values with newlines are refused when a job is submitted. */
function dockerEnv(spec: ImageSpec): string | undefined {
  const lines = Object.entries(spec.env ?? {}).map(([name, value]) => `${name}=${value}`);
  if (spec.docker_run_env) lines.unshift(spec.docker_run_env);
  return lines.length > 0 ? lines.join("\n") : undefined;
}

type ContainerSpec = Extract<RunSpec, { kind: "image" | "compose" }>;

/** One edition of the image page calls `aws_region` `region`; no client does. */
function registry(spec: ContainerSpec): Record<string, unknown> {
  return {
    docker_registry_credential_type: spec.docker_registry_credential_type,
    docker_username: spec.docker_username,
    docker_password: spec.docker_password,
    aws_access_key_id: spec.aws_access_key_id,
    aws_secret_access_key: spec.aws_secret_access_key,
    aws_session_token: spec.aws_session_token,
    aws_region: spec.aws_region,
  };
}

function fileName(executionId: string, name: string | undefined): string {
  const plain = (name ?? "")
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[-.]+/, "")
    .slice(0, MAX_NAME);
  return plain === "" ? executionId : `${executionId}-${plain}`;
}

function withoutUndefined(body: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
}
