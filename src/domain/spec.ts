// The validated request of a run. Fields other than `kind`, `name`, `env`, `files` and `extra` are Lyceum's own.

interface Registry {
  docker_registry_credential_type?: string | undefined;
  docker_username?: string | undefined;
  docker_password?: string | undefined;
  aws_access_key_id?: string | undefined;
  aws_secret_access_key?: string | undefined;
  aws_session_token?: string | undefined;
  aws_region?: string | undefined;
}

interface Common {
  name?: string | undefined;
  /** Seconds, 1 to 600: Lyceum's own limit on an execution. */
  timeout: number;
  /** Passed through unchanged, for fields that Lyceum adds later. */
  extra?: Record<string, unknown> | undefined;
}

interface Code extends Common {
  code: string;
  nbcode?: number | undefined;
  requirements_content?: string | undefined;
  prior_imports?: string[] | undefined;
  kernel_state?: string | undefined;
  import_files?: string | undefined;
  /** Relative path to text; becomes `import_files`. */
  files?: Record<string, string> | undefined;
  /** Becomes a prelude of the code: Lyceum has no per-run environment for Python. */
  env?: Record<string, string> | undefined;
}

export interface PythonSpec extends Code {
  kind: "python";
  execution_type: string;
}

export interface GpuSelectionSpec extends Code {
  kind: "gpu_selection";
}

export interface ImageSpec extends Common, Registry {
  kind: "image";
  docker_image_ref: string;
  docker_run_cmd: string[];
  docker_run_env?: string | undefined;
  /** Becomes `docker_run_env`. */
  env?: Record<string, string> | undefined;
  execution_type: string;
  job_type?: string | undefined;
  enable_s3_mount: boolean;
  graceful_timeout?: number | undefined;
}

export interface ComposeSpec extends Common, Registry {
  kind: "compose";
  compose_file_code: string;
  execution_type: string;
  enable_s3_mount: boolean;
  graceful_timeout?: number | undefined;
}

export type RunSpec = PythonSpec | ImageSpec | ComposeSpec | GpuSelectionSpec;
export type RunKind = RunSpec["kind"];

/** Lyceum accepts neither callbacks nor hardware for a GPU selection. */
export function takesCallback(kind: RunKind): boolean {
  return kind !== "gpu_selection";
}
