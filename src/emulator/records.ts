// Lyceum's documents about an execution, with Lyceum's shapes and mixed time formats.
import { createHash } from "node:crypto";
import { type Execution, isOver, type Kind, text } from "./execution.ts";
import { priceOf } from "./hardware.ts";
import type { Switches } from "./switches.ts";

/** `GET /execution/{id}`; fields as the dashboard reads them. Holds secrets, as the real one may. */
export function recordOf(execution: Execution, switches: Switches, now: number): Record<string, unknown> {
  const { start, result } = execution;
  const { body } = start;
  const done = execution.finishedAt !== undefined;
  const bill = billOf(execution, switches, now, "record");
  return {
    execution_id: execution.id,
    status: shown(execution, switches),
    execution_type: kindWord(start.kind),
    hardware_profile: execution.hardwareProfile,
    file_name: start.fileName,
    user_id: userId,
    ...times(execution, switches),
    fastapi_received: offsetTime(execution.acceptedAt),
    ...outputOf(execution, done ? switches.output : "withheld"),
    result: null,
    return_code: done && switches.end === "told" ? (result?.returnCode ?? null) : null,
    install_log: execution.installLog,
    install_return_code: execution.installLog === null ? null : 0,
    errors: done ? (result?.errors ?? null) : null,
    errors_docker: null,
    warnings: null,
    status_details: done ? (result?.errors ?? null) : null,
    python_code: body.code ?? null,
    python_requirements: start.requirements,
    docker_image_ref: body.docker_image_ref ?? null,
    docker_run_cmd: body.docker_run_cmd ?? null,
    docker_run_env: body.docker_run_env ?? null,
    billed: bill,
    amount_billed: bill,
    cost: bill,
    parent_execution_id: execution.parentId,
    job_type: jobType(execution),
    metadata: {},
    user_callback_url: start.callbackUrls[0] ?? null,
    s3_mount: body.enable_s3_mount ?? null,
    s3_credentials: { access_key: "emulator-s3-access-key", secret_key: "emulator-s3-secret-key" },
    docker_registry_credentials: {
      username: body.docker_username ?? null,
      password: body.docker_password ?? null,
      aws_access_key_id: body.aws_access_key_id ?? null,
      aws_secret_access_key: body.aws_secret_access_key ?? null,
      aws_session_token: body.aws_session_token ?? null,
    },
    cancel: false,
  };
}

function outputOf(execution: Execution, shown: Switches["output"]): Record<string, string | null> {
  const isApart = shown === "told";
  return {
    stdout: isApart ? text(execution, "stdout") : null,
    stderr: isApart ? text(execution, "stderr") : null,
    combined_output: shown === "withheld" ? null : text(execution),
  };
}

/** A row of `GET /billing/history`. */
export function historyRow(execution: Execution, switches: Switches, now: number): Record<string, unknown> {
  const details = execution.finishedAt === undefined ? null : (execution.result?.errors ?? null);
  return {
    execution_id: execution.id,
    execution_type: kindWord(execution.start.kind),
    status: shown(execution, switches),
    hardware_profile: execution.hardwareProfile,
    billed: billOf(execution, switches, now, "history"),
    ...times(execution, switches),
    file_name: execution.start.fileName,
    status_details: details,
    local_imports: null,
    errors_docker: null,
    parent_execution_id: execution.parentId,
    job_type: jobType(execution),
    metadata: {},
  };
}

/** An item of `GET /workloads/list`. */
export function listItem(execution: Execution, switches: Switches): Record<string, unknown> {
  return {
    execution_id: execution.id,
    // An ended run is listed only while the list lags behind.
    status: execution.finishedAt === undefined ? shown(execution, switches) : "running",
    file_name: execution.start.fileName,
    hardware_profile: execution.hardwareProfile,
    created_at: offsetTime(execution.acceptedAt),
  };
}

/** `GET /execution/{id}/timing`; the unit is not documented, seconds are likely. */
export function timingOf(execution: Execution, switches: Switches, now: number): Record<string, unknown> {
  const { acceptedAt, startingAt, startedAt, endedAt, finishedAt } = execution;
  const seconds = (from: number | undefined, to: number | undefined) =>
    from === undefined ? 0 : Math.max(0, (to ?? now) - from) / 1000;
  if (switches.timing === "flat") {
    return {
      execution_id: execution.id,
      start_time: maybe(zuluTime, startedAt),
      end_time: maybe(zuluTime, endedAt),
      duration: seconds(startedAt, endedAt),
    };
  }
  const total = seconds(acceptedAt, finishedAt);
  return {
    execution_id: execution.id,
    timing: {
      jobRequestSent: 0,
      queued: seconds(acceptedAt, startingAt ?? endedAt),
      launchingContainer: seconds(startingAt, startedAt ?? endedAt),
      executingJob: seconds(startedAt, endedAt),
      shuttingDown: seconds(endedAt, finishedAt),
      total,
      total_duration: total,
    },
  };
}

/** `GET /execution/gpu_selection/{id}/status`. The schema is undocumented: this schema is invented and says so. */
export function selectionStatus(execution: Execution, switches: Switches): Record<string, unknown> {
  const status = shown(execution, switches);
  const jobs = execution.children.map((child) => ({
    execution_id: child.id,
    hardware_profile: child.hardwareProfile,
    status: shown(child, switches),
  }));
  const note = "emulator: this answer's schema is invented";
  switch (switches.selection) {
    case "parent":
      return { parent: { execution_id: execution.id, status }, sub_jobs: jobs, note };
    case "jobs":
      return { jobs, note };
    case "wordless":
      return { execution_id: execution.id, sub_jobs: jobs, note };
    case "status":
      return { execution_id: execution.id, status, sub_jobs: jobs, note };
  }
}

/** In Lyceum's spelling, changed by the switch `words`. */
export function shown({ word }: Execution, { words }: Switches): string {
  const going = word === "pending" || word === "starting" || word === "running";
  switch (words) {
    case "capitals":
      return word.toUpperCase();
    case "spaces":
      return going ? "waiting for docker container" : ` ${word} `;
    case "unknown":
      return going ? "rebalancing" : word;
    case "old":
      return oldWords[word] ?? word;
    default:
      return word;
  }
}

const oldWords: Record<string, string> = {
  pending: "queued",
  completed: "success",
  failed: "failed_user",
  system_failure: "failed_system",
  cancelled: "canceled",
};

function billOf(
  execution: Execution,
  { bill, bill_lag }: Switches,
  now: number,
  place: "record" | "history",
): number | null {
  if (bill === "withheld") return null;
  const isLate = bill === "late" && now < (execution.endedAt ?? now) + bill_lag;
  return isLate || (bill === "history" && place === "record") ? 0 : costOf(execution);
}

/** Credits: the price of the hardware times the seconds from start to end. */
export function costOf(execution: Execution): number {
  if (execution.startedAt === undefined || !isOver(execution)) return 0;
  const hours = Math.max(0, (execution.endedAt ?? execution.startedAt) - execution.startedAt) / 3_600_000;
  return Math.round(priceOf(execution.hardwareProfile) * hours * 1e8) / 1e8;
}

export const userId = createHash("sha256").update("lyceum emulator").digest("hex").slice(0, 32);

function times(execution: Execution, { end }: Switches): Record<string, string | null> {
  const { acceptedAt, startingAt, startedAt } = execution;
  const { endedAt, finishedAt } = end === "told" ? execution : {};
  return {
    created_at: offsetTime(acceptedAt),
    execelet_start: maybe(bareTime, startingAt),
    start_time: maybe(zuluTime, startedAt),
    end_time: maybe(zuluTime, endedAt),
    finish_time: maybe(bareTime, finishedAt),
    job_start: maybe(zuluTime, startedAt),
    job_end: maybe(zuluTime, endedAt),
  };
}

/** The three time formats that real answers mix [recorded from the live API]. */
export const zuluTime = (at: number) => new Date(at).toISOString();
const bareTime = (at: number) => `${zuluTime(at).slice(0, -1)}000`;
export const offsetTime = (at: number) => `${bareTime(at)}+00:00`;

function maybe(format: (at: number) => string, at: number | undefined): string | null {
  return at === undefined ? null : format(at);
}

/** In records, `execution_type` is the kind of run, not the hardware. */
function kindWord(kind: Kind): string {
  return kind === "python" || kind === "gpu_selection" ? "python code" : "docker";
}

function jobType(execution: Execution): unknown {
  if (execution.parentId !== null) return "gpu_selection_sub_job";
  return execution.start.kind === "gpu_selection" ? "gpu_selection" : (execution.start.body.job_type ?? null);
}
