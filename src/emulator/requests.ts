// The four start requests as the reference pages describe them [api-reference/...-execution/start-...].
import * as z from "zod";
import { type Detail, detailsOf, extra, invalid, missing } from "./detail.ts";
import { readDirectives } from "./directives.ts";
import type { Kind, Start } from "./execution.ts";
import { filesFrom } from "./files.ts";
import type { Switches } from "./switches.ts";

const text = z.string().nullish();
const texts = z.array(z.string()).nullish();
const profile = z.string().regex(/^[a-zA-Z0-9_.]+$/);
const timeout = z.int().min(1).max(600).default(60);

const registry = {
  docker_registry_credential_type: text,
  aws_access_key_id: text,
  aws_secret_access_key: text,
  aws_session_token: text,
  aws_region: text,
  docker_username: text,
  docker_password: text,
};

const code = {
  code: z.string(),
  nbcode: z.int().default(0),
  timeout,
  requirements_content: text,
  prior_imports: texts,
  kernel_state: text,
  import_files: text,
  file_name: text,
};

const schemas = {
  python: z.object({ ...code, execution_type: profile.default("cpu"), user_callback_urls: texts }),
  image: z.object({
    docker_image_ref: z.string(),
    docker_run_cmd: texts,
    docker_run_env: text,
    ...registry,
    region: text,
    timeout,
    execution_type: profile.default("cpu"),
    job_type: text,
    file_name: text,
    enable_s3_mount: z.boolean().default(true),
    user_callback_urls: texts,
    graceful_timeout: z.int().min(1).max(300).default(10),
  }),
  compose: z.object({
    compose_file_code: z.string(),
    ...registry,
    timeout,
    execution_type: profile.default("cpu"),
    file_name: text,
    enable_s3_mount: z.boolean().default(false),
    user_callback_urls: texts,
    graceful_timeout: z.int().min(1).max(300).nullish(),
  }),
  gpu_selection: z.object(code),
};

type ReadStart = { ok: true; start: Start } | { ok: false; detail: Detail[] };

/** Problems are the `detail` of a 422. */
export function readStart(kind: Kind, body: unknown, switches: Switches): ReadStart {
  const parsed = schemas[kind].safeParse(body);
  if (!parsed.success) return { ok: false, detail: detailsOf(parsed.error, "body") };
  const given = body as Record<string, unknown>;
  const fields: Fields = parsed.data;
  const detail: Detail[] = [];

  const honoured = switches.machine_type === "honoured" && "execution_type" in schemas[kind].shape;
  if (switches.unknown_fields === "rejected") {
    const known = new Set([...Object.keys(schemas[kind].shape), ...(honoured ? ["machine_type"] : [])]);
    detail.push(
      ...Object.keys(given)
        .filter((name) => !known.has(name))
        .map(extra),
    );
  }
  if (kind === "image" && !fields.docker_run_cmd && switches.command === "required") {
    detail.push(missing("docker_run_cmd"));
  }
  const files = filesFrom(fields.import_files);
  if (!files.ok) detail.push(invalid("import_files", files.problem));
  const directive = readDirectives([
    subjectOf(fields),
    fields.docker_run_env ?? "",
    ...(fields.docker_run_cmd ?? []),
  ]);
  if (!directive.ok) detail.push(invalid("emulator", directive.problem));
  if (!files.ok || !directive.ok || detail.length > 0) return { ok: false, detail };

  const machineType = honoured && typeof given.machine_type === "string" ? given.machine_type : undefined;
  const start: Start = {
    kind,
    body: given,
    subject: subjectOf(fields),
    hardwareProfile: machineType ?? fields.execution_type ?? "cpu",
    timeoutMs: fields.timeout * 1000,
    fileName: fields.file_name ?? null,
    callbackUrls: fields.user_callback_urls ?? [],
    files: files.files,
    priorImports: fields.prior_imports ?? [],
    requirements: fields.requirements_content ?? null,
    changes: directive.changes,
  };
  return { ok: true, start };
}

interface Fields {
  timeout: number;
  code?: string | undefined;
  docker_image_ref?: string | undefined;
  compose_file_code?: string | undefined;
  execution_type?: string | undefined;
  docker_run_cmd?: string[] | null | undefined;
  docker_run_env?: string | null | undefined;
  file_name?: string | null | undefined;
  user_callback_urls?: string[] | null | undefined;
  import_files?: string | null | undefined;
  prior_imports?: string[] | null | undefined;
  requirements_content?: string | null | undefined;
}

function subjectOf(fields: Fields): string {
  return fields.code ?? fields.docker_image_ref ?? fields.compose_file_code ?? "";
}
