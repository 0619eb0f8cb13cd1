// The sub-jobs of a GPU selection, each by its record. Records may hold secrets: only the fields named here are kept.
import { type CostSource, durationMs, estimatedCost, isCost, sumOf } from "../../domain/cost.ts";
import type { Execution, Snapshot } from "../../domain/execution.ts";
import { mergeSubJobs, type SubJob } from "../../domain/gpu-selection.ts";
import type { GpuSelectionAnswer, HistoryRow } from "../../lyceum/answer.ts";
import type { LyceumClient } from "../../lyceum/client.ts";
import { isOver, lyceumIdOf, snapshotOfRow } from "../../lyceum/snapshot.ts";
import { parseStatus } from "../../lyceum/status-words.ts";
import type { Db } from "../../store/db/transaction.ts";
import { priceOf } from "../../store/machine-types.ts";
import { CLOCK_SKEW_MS, createHistoryPass } from "../reconcile/history.ts";

export interface Selection {
  subJobs: SubJob[];
  isComplete: boolean;
}

/** @param known sub-jobs of a former read: a failed read removes nothing from them */
export async function readSelection(
  lyceum: LyceumClient,
  db: Db,
  execution: Execution,
  known: readonly SubJob[],
): Promise<Selection> {
  const listed = await listSubJobs(lyceum, execution);
  const read: Awaited<ReturnType<typeof readSubJob>>[] = [];
  // One by one: each record may be large.
  for (const subJob of listed.subJobs.slice(0, MAX_SUB_JOBS))
    read.push(await readSubJob(lyceum, db, execution.id, subJob));
  const isComplete = listed.isComplete && read.every((result) => result.isComplete);
  const subJobs = mergeSubJobs(
    known,
    read.map(({ subJob }) => subJob),
  );
  return { subJobs, isComplete };
}

/** By the selection's status, and by the history's rows with this parent. */
async function listSubJobs(lyceum: LyceumClient, execution: Execution) {
  const id = lyceumIdOf(execution);
  const subJobs = new Map<string, ListedSubJob>();
  const status = await lyceum.gpuSelectionStatus(id, "collect");
  for (const named of status.type === "ok" ? status.value.subJobs : [])
    subJobs.set(named.executionId, { ...named, row: null });
  const pass = createHistoryPass(lyceum, {
    priority: "collect",
    since: execution.submittedAt - CLOCK_SKEW_MS,
    onRows(rows) {
      for (const row of rows.filter(({ parentExecutionId }) => parentExecutionId === id))
        subJobs.set(row.executionId, { ...row, row });
    },
    isEnough: () => false,
  });
  const { state } = await pass.readOn();
  const isToldByStatus = status.type === "ok" || status.type === "missing";
  return { subJobs: [...subJobs.values()], isComplete: isToldByStatus && state === "whole" };
}

type ListedSubJob = GpuSelectionAnswer["subJobs"][number] & { row: HistoryRow | null };

/**
 * The larger of the selection's own bill and the sum of its sub-jobs: it is not documented if the bill includes them.
 */
export function withSubJobs(snapshot: Snapshot, subJobs: readonly SubJob[]): Snapshot {
  const { cost, source } = sumOf(
    subJobs.map((subJob) => ({ cost: subJob.cost, source: subJob.cost_source })),
  );
  if (cost === null || (isCost(snapshot.cost) && snapshot.cost >= cost)) return snapshot;
  return { ...snapshot, cost, costSource: source ?? undefined };
}

const MAX_SUB_JOBS = 16;
const MAX_NAME = 100;

async function readSubJob(lyceum: LyceumClient, db: Db, marker: string, listed: ListedSubJob) {
  const answer = await lyceum.record(listed.executionId, marker, "collect", "large");
  const row = billedRow(answer.type === "ok" ? answer.value : null, listed.row);
  const snapshot = row === null ? null : snapshotOfRow(row);
  const hardware = (row?.hardwareProfile ?? listed.hardwareProfile)?.slice(0, MAX_NAME) ?? null;
  const word = row?.word ?? listed.word;
  const timed = { startedAt: snapshot?.startedAt ?? null, endedAt: snapshot?.endedAt ?? null };
  // A cost of 0 for a sub-job that took time is no bill yet.
  const isBilled = isCost(snapshot?.cost) && (snapshot.cost > 0 || (durationMs(timed) ?? 0) === 0);
  const cost = isBilled
    ? (snapshot?.cost ?? null)
    : estimatedCost(timed, hardware === null ? null : await priceOf(db, hardware));
  const source: CostSource | null = cost === null ? null : isBilled ? "billed" : "estimated";
  const subJob: SubJob = {
    lyceum_execution_id: listed.executionId.slice(0, MAX_NAME),
    hardware,
    status: word === null ? null : (parseStatus(word).status ?? word.slice(0, MAX_NAME)),
    duration_ms: durationMs(timed),
    cost,
    cost_source: source,
  };
  const isOutOfReach = answer.type === "missing" || (answer.type === "unreadable" && answer.isTooLarge);
  return { subJob, isComplete: isOutOfReach || (row !== null && isOver(row)) };
}

/** The record tells more; the bill may stand in the history alone. */
function billedRow(record: HistoryRow | null, past: HistoryRow | null): HistoryRow | null {
  if (record === null || past === null) return record ?? past;
  const billed = isCost(record.billed) && record.billed > 0 ? record.billed : (past.billed ?? record.billed);
  return { ...record, billed };
}
