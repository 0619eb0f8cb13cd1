// Collects the artifacts of ended executions: record, timing, logs and metrics, each with its own state and reason. When
// no artifact is pending any more, the run becomes terminal.
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
import { createArtifactRequests } from "./artifact-requests.ts";
import type { Change } from "./artifact-verdict.ts";
import { billDueAt, createBills } from "./bills.ts";
import { fetchers, type Subject, type Wanted } from "./fetchers.ts";
import { createOutageCheck } from "./outage-check.ts";
import { type Printed, printedIn, type RecordDocument, type StoredRecord } from "./record-artifact.ts";

export interface CollectOptions {
  lyceum: LyceumClient;
  now: () => number;
  /** Executions collected at the same time. */
  concurrency?: number;
  /** Between two reads of a log that may still grow. */
  logSpacingMs?: number;
  /** False while the service stops: no collection is begun for ends that the reconciler reads. */
  takesOver(): boolean;
  /** A collection has ended: another may begin. */
  onCapacity: () => void;
}

export interface Collect extends Worker {
  /**
   * Begins to fetch the artifacts of an end while the end is still being written. Null: there is no capacity.
   * @param record the record that shows the end, if it is stored with the end
   */
  begin(subject: Subject, record: StoredRecord | null): Begun | null;
}

/** A collection that began before the end of its execution is written. */
export interface Begun {
  /** The lease to write with the end. */
  leaseFrom(now: number): number;
  /** The end is written with this lease. Null: not written, or not new, and the fetched artifacts are dropped. */
  ended(leaseUntil: number | null): void;
}

export function createCollect(context: Context, options: CollectOptions): Collect {
  const { lyceum, now, concurrency = 32, logSpacingMs = 5_000, takesOver, onCapacity } = options;
  const collections = new PQueue({ concurrency });
  const claims = createClaims(context, "collect", LEASE_MS);
  const { db } = context.store;
  const billAfterMs = logSpacingMs * 2;
  const requests = createArtifactRequests({
    fetchers: fetchers({ lyceum, db, now, logSpacingMs, billAfterMs, bills: createBills(lyceum, now) }),
    outageCheck: createOutageCheck(lyceum, now),
    now,
    onFault: (error) => context.report.fault("collect", error),
  });
  const capacity = () => concurrency - collections.pending - collections.size;

  function add(subject: Subject, work: () => Promise<void>): void {
    void collections
      .add(work)
      .then(
        () => claims.done([subject]),
        (error) => {
          context.report.fault("collect", error);
          claims.failed([subject]);
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
    const printed = await knownOutput(artifacts);
    const bill = wanted.find(isForBill);
    const others = wanted.filter((artifact) => artifact !== bill);
    const changes = await requests.decide(due, await requests.fetchArtifacts(due, others, printed), printed);
    if (bill !== undefined) {
      const at = billDueAt(due.execution.detectedAt ?? now(), billAfterMs, artifacts, changes);
      if (at > now()) changes.push(postponed(bill, at));
      else
        changes.push(
          ...(await requests.decide(due, await requests.fetchArtifacts(due, [bill], printed), printed)),
        );
    }
    await save(due, changes);
  }

  function begin(subject: Subject, record: StoredRecord | null): Begun | null {
    if (!takesOver() || capacity() <= 0) return null;
    const wanted = artifactKinds.filter((kind) => kind !== "record" || record === null).map(untried);
    const printed = record === null ? null : printedIn(record);
    const end = Promise.withResolvers<boolean>();
    add(subject, async () => {
      const [attempts, isWritten] = await Promise.all([
        requests.fetchArtifacts(subject, wanted, printed),
        end.promise,
      ]);
      if (!isWritten) return;
      const changes = await requests.decide(subject, attempts, printed);
      const bill = { ...untried("record"), tries: 1, summary: record?.summary ?? null };
      if (isForBill(bill)) changes.push(postponed(bill, billDueAt(now(), billAfterMs, [], changes)));
      await save(subject, changes);
    });
    return {
      leaseFrom: (from) => from + LEASE_MS,
      ended(leaseUntil) {
        if (leaseUntil !== null) claims.track(subject, leaseUntil);
        end.resolve(leaseUntil !== null);
      },
    };
  }

  async function knownOutput(artifacts: ArtifactState[]): Promise<Printed | null> {
    const record = artifacts.find(({ kind, fetched_at }) => kind === "record" && fetched_at !== null);
    if (record === undefined) return null;
    const summary = record.summary as RecordSummary | null;
    // Do not load output that the log is not compared with: it may be large.
    if (summary?.tells_output === false && summary.shows_output !== true && summary.has_output !== undefined)
      return { isAny: summary.has_output, isAll: false, output: null };
    const document = (await readDocument(db, record.execution_id, "record")) as RecordDocument;
    return printedIn({ document, summary });
  }

  async function save({ execution: { id } }: Subject, artifacts: Change[]): Promise<void> {
    const record = artifacts.find(({ snapshot }) => snapshot !== undefined)?.snapshot;
    await saveCollected(context, { executionId: id, artifacts, record });
  }

  return {
    name: "collect",
    async runOnce() {
      if (capacity() <= 0) return null;
      for (const due of await claims.take(capacity())) add(due, () => collectDue(due));
      return nextDueAt(db, "collect");
    },
    begin,
    idle: () => collections.onIdle(),
    release: claims.release,
  };
}

const LEASE_MS = 10 * 60_000;

function untried(kind: ArtifactKind): Wanted {
  return { kind, tries: 0, first_tried_at: null, fetched_at: null, summary: null };
}

/** True for a complete record that is read again only for its bill. */
function isForBill({ kind, summary }: Wanted): boolean {
  return kind === "record" && (summary as RecordSummary | null)?.awaits_bill === true;
}

function postponed({ kind, tries }: Wanted, dueAt: number): Change {
  return { kind, state: "pending", dueAt, tries };
}
