// A submitted spec in the API.
import { z } from "zod";
import { jobId, runId } from "./field.ts";
import { matrixValues, runKind } from "./run.ts";

const text = z.string().optional();
const texts = z.record(z.string(), z.string()).optional();
const hidden = z.string().optional().describe("`[hidden]`.");

const spec = z
  .object({
    kind: runKind,
    name: text,
    timeout: z.int().describe("Seconds."),
    execution_type: text.describe("The hardware profile."),
    code: text,
    nbcode: z.int().optional(),
    requirements_content: text,
    prior_imports: z.array(z.string()).optional(),
    kernel_state: text,
    import_files: text,
    files: texts,
    env: texts.describe("Names; each value is `[hidden]`."),
    docker_image_ref: text,
    docker_run_cmd: z.array(z.string()).optional(),
    docker_run_env: text.describe("Names; each value is `[hidden]`."),
    job_type: text,
    enable_s3_mount: z.boolean().optional(),
    graceful_timeout: z.int().optional(),
    compose_file_code: z.string().nullable().optional().describe("Null to readers."),
    docker_registry_credential_type: text,
    docker_username: hidden,
    docker_password: hidden,
    aws_access_key_id: hidden,
    aws_secret_access_key: hidden,
    aws_session_token: hidden,
    aws_region: text,
    extra: z.record(z.string(), z.unknown()).optional().describe("Each text in it is `[hidden]`."),
  })
  .meta({ id: "SubmittedSpec", description: "The fields of the submission; those not given are left out." });

export const submittedSpec = z
  .object({
    run_id: runId,
    job_id: jobId,
    matrix: matrixValues.nullable(),
    spec,
    note: z.string().nullable().describe("Why something is not shown."),
  })
  .meta({
    id: "RunSpec",
    examples: [
      {
        run_id: "run_01kawv9x2m4t6r8s0p1q3n5v7w",
        job_id: "job_01kawv9x2m4t6r8s0p1q3n5v7w",
        matrix: { LR: "0.1" },
        spec: {
          kind: "python",
          name: "train",
          timeout: 300,
          execution_type: "gpu.a100",
          code: 'import os; print(os.environ["LR"])',
          env: { HF_TOKEN: "[hidden]" },
        },
        note: null,
      },
    ],
  });
export type SubmittedSpecView = z.output<typeof submittedSpec>;
