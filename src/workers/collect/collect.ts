// Collect: after an execution's end its record, timing, logs and metrics are fetched, each with its own state
// and reason. When none is pending any more the run becomes terminal.
import PQueue from "p-queue";
import type { RecordSummary } from "../../domain/gpu-selection.ts";
import type { LyceumClient } from "../../lyceum/client.ts";
import type { Context } from "../../orchestration/context.ts";
import { saveCollected } from "../../orchestration/save-artifacts.ts";
import { type ArtifactState, listArtifacts, readDocument } from "../../store/artifacts.ts";
import { type ArtifactKind, artifactKinds } from "../../store/db/schema.ts";
import { type DueExecution, nextDueAt } from "../../store/execution-claims.ts";
import { createClaims } from "../claims.ts";
import type { Worker } from "../loop.ts";
import { createAsking } from "./artifact-requests.ts";
import type { Change } from "./artifact-verdict.ts";
import { billDueAt, createBills } from "./bills.ts";
import { fetchers, type Subject, type Wanted } from "./fetchers.ts";
import { createHearing } from "./outage-check.ts";
import { type Printed, printedIn, type RecordDocument, type StoredRecord } from "./record-artifact.ts";

export interface CollectOptions {
  lyceum: LyceumClient;
  now: () => number;
  /** Executions collected at the same time. */
  concurrency?: number;
  /** Between two reads of a log that may still grow. */
  logSpacingMs?: number;
  /** False while the service stops: nothing is begun then for an end that check has read. */
  takesOver(): boolean;
  /** A place has become free. */
  onCapacity: () => void;
}

export interface Collect extends Worker {
  /**
   * Begins to fetch the documents of an end that was just read, while it is still being written; null: there is no room.
   * @param record what told of the end, where it is stored with it
   */
  begin(of: Subject, record: StoredRecord | null): Begun | null;
}

/** A collection that began before the end of its execution is written. */
export interface Begun {
  /** The lease that is to be written with the end. */
  holdUntil(now: number): number;
  /** The end is written with this lease; null: it was not new, or not written, and what is fetched is dropped. */
  ended(heldUntil: number | null): void;
}

export function createCollect(context: Context, options: CollectOptions): Collect {
  const { lyceum, now, concurrency = 32, logSpacingMs = 5_000, takesOver, onCapacity } = options;
  const collections = new PQueue({ concurrency });
  const claims = createClaims(context, "collect", LEASE_MS);
  const { db } = context.store;
  const billAfterMs = logSpacingMs * 2;
  const { ask, judge } = createAsking({
    fetchers: fetchers({ lyceum, db, now, logSpacingMs, billAfterMs, bills: createBills(lyceum, now) }),
    hearing: createHearing(lyceum, now),
    now,
    onFault: (error) => context.report.fault("collect", error),
  });
  const room = () => concurrency - collections.pending - collections.size;

  function add(due: Subject, work: () => Promise<void>): void {
    void collections
      .add(work)
      .then(
        () => claims.done([due]),
        (error) => {
          context.report.fault("collect", error);
          claims.failed([due]);
        },
      )
      .finally(onCapacity);
  }

  async function collectDue(due: DueExecution): Promise<void> {
    const artifacts = await listArtifacts(db, [due.execution.id]);
    const isDue = ({ state, due_at }: ArtifactState) => state === "pending" && (due_at ?? 0) <= now();
    const wanted = artifactKinds.flatMap((kind): Wanted[] => {
      const known = artifacts.find((artifact) => artifact.kind === kind);
      if (known === undefined) return [untried(kind)];
      return isDue(known) ? [known] : [];
    });
    const printed = await printedOf(artifacts);
    const bill = wanted.find(isForBill);
    const others = wanted.filter((artifact) => artifact !== bill);
    const changes = await judge(due, await ask(due, others, printed), printed);
    if (bill !== undefined) {
      const at = billDueAt(due.execution.detectedAt ?? now(), billAfterMs, artifacts, changes);
      if (at > now()) changes.push(postponed(bill, at));
      else changes.push(...(await judge(due, await ask(due, [bill], printed), printed)));
    }
    await save(due, changes);
  }

  function begin(of: Subject, record: StoredRecord | null): Begun | null {
    if (!takesOver() || room() <= 0) return null;
    const wanted = artifactKinds.filter((kind) => kind !== "record" || record === null).map(untried);
    const printed = record === null ? null : printedIn(record);
    const end = Promise.withResolvers<boolean>();
    add(of, async () => {
      const [tried, isWritten] = await Promise.all([ask(of, wanted, printed), end.promise]);
      if (!isWritten) return;
      const changes = await judge(of, tried, printed);
      const bill = { ...untried("record"), tries: 1, summary: record?.summary ?? null };
      if (isForBill(bill)) changes.push(postponed(bill, billDueAt(now(), billAfterMs, [], changes)));
      await save(of, changes);
    });
    return {
      holdUntil: (from) => from + LEASE_MS,
      ended(heldUntil) {
        if (heldUntil !== null) claims.track(of, heldUntil);
        end.resolve(heldUntil !== null);
      },
    };
  }

  async function printedOf(artifacts: ArtifactState[]): Promise<Printed | null> {
    const record = artifacts.find(({ kind, fetched_at }) => kind === "record" && fetched_at !== null);
    if (record === undefined) return null;
    const summary = record.summary as RecordSummary | null;
    // What the log is not compared with is not loaded: it may be large.
    if (summary?.tells_output === false && summary.shows_output !== true && summary.has_output !== undefined)
      return { isAny: summary.has_output, isAll: false, output: null };
    const document = (await readDocument(db, record.execution_id, "record")) as RecordDocument;
    return printedIn({ document, summary });
  }

  async function save({ execution: { id } }: Subject, artifacts: Change[]): Promise<void> {
    const record = artifacts.find(({ reading }) => reading !== undefined)?.reading;
    await saveCollected(context, { executionId: id, artifacts, record });
  }

  return {
    name: "collect",
    async runOnce() {
      if (room() <= 0) return null;
      for (const due of await claims.take(room())) add(due, () => collectDue(due));
      return nextDueAt(db, "collect");
    },
    begin,
    idle: () => collections.onIdle(),
    handBack: claims.release,
  };
}

const LEASE_MS = 10 * 60_000;

function untried(kind: ArtifactKind): Wanted {
  return { kind, tries: 0, first_tried_at: null, fetched_at: null, summary: null };
}

/** The record is whole, and read only for its bill. */
function isForBill({ kind, summary }: Wanted): boolean {
  return kind === "record" && (summary as RecordSummary | null)?.awaits_bill === true;
}

function postponed({ kind, tries }: Wanted, dueAt: number): Change {
  return { kind, state: "pending", dueAt, tries };
}
