// Collects the artifacts of ended executions, each with its own state. With the last one the run is terminal.
import PQueue from "p-queue";
import type { RecordSummary } from "../../domain/gpu-selection.ts";
import { systemTimers, type Timers } from "../../lib/clock.ts";
import { forExecution } from "../../lib/subject.ts";
import type { LyceumClient } from "../../lyceum/client.ts";
import type { Context } from "../../orchestration/context.ts";
import { saveCollected } from "../../orchestration/save-artifacts.ts";
import { type ArtifactState, artifactsOf, recordsOf } from "../../store/artifacts.ts";
import { artifactKinds } from "../../store/db/schema.ts";
import { type DueExecution, nextDueAt } from "../../store/execution-claims.ts";
import { createClaims } from "../claims.ts";
import type { Worker } from "../loop.ts";
import { createArtifactRequests } from "./artifact-requests.ts";
import { type Change, changeOf } from "./artifact-verdict.ts";
import { billDueAt, createBills } from "./bills.ts";
import { createEarlyFetches, type EarlyFetch } from "./early-fetch.ts";
import { fetchers, knownBy, type Subject, untried, type Wanted } from "./fetchers.ts";
import { createOutageCheck } from "./outage-check.ts";
import { type Printed, printedIn, type RecordDocument, type StoredRecord } from "./record-artifact.ts";

export interface CollectOptions {
  lyceum: LyceumClient;
  now: () => number;
  concurrency?: number;
  logSpacingMs?: number;
  /** False while the service stops. */
  takesOver(): boolean;
  mayFetchEarly?: () => boolean;
  timers?: Timers;
  onCapacity: () => void;
}

export interface Collect extends Worker {
  /** Null: no capacity, or the other reasons of `early-fetch.ts`. */
  fetchEarly(subject: Subject): EarlyFetch | null;
  /** With which an end may be written and handed over. Null: no capacity. */
  leaseFrom(now: number, early: EarlyFetch | null): number | null;
  /** The first read of a record that shows the end. @param others the other artifacts, if they are known already */
  recordChange(record: StoredRecord, askedAt: number, others: readonly Change[]): Change;
  /**
   * The end was written with this lease. @param record the record that shows the end, if it was stored with the end
   */
  handOver(subject: Subject, leaseUntil: number, record: StoredRecord | null, early: EarlyFetch | null): void;
}

export function createCollect(context: Context, options: CollectOptions): Collect {
  const { lyceum, now, concurrency = 32, logSpacingMs = 5_000, takesOver, onCapacity } = options;
  const { mayFetchEarly = () => false, timers = systemTimers } = options;
  const collections = new PQueue({ concurrency });
  const claims = createClaims(context, "collect", LEASE_MS, now);
  const { db, batchRead } = context.store;
  const billAfterMs = logSpacingMs * 2;
  const outageCheck = createOutageCheck(lyceum, now);
  const requests = createArtifactRequests({
    fetchers: fetchers({ lyceum, db, now, logSpacingMs, billAfterMs, bills: createBills(lyceum, now) }),
    outageCheck,
    now,
    onFault: (error) => context.report.fault("collect", error),
  });
  const earlyFetches = createEarlyFetches({ requests, timers, mayFetch: mayFetchEarly, onCapacity });
  const capacity = () => concurrency - collections.pending - collections.size - earlyFetches.size();

  function add(subject: Subject, work: () => Promise<void>): void {
    void collections
      .add(() => forExecution(subject.execution, work))
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
    const artifacts = await batchRead(artifactsOf, due.execution.id);
    const isDue = ({ state, due_at }: ArtifactState) => state === "pending" && (due_at ?? 0) <= now();
    const wanted = artifactKinds.flatMap((kind): Wanted[] => {
      const state = artifacts.find((artifact) => artifact.kind === kind);
      if (state === undefined) return [untried(kind)];
      return isDue(state) ? [state] : [];
    });
    const known = { execution: due.execution, printed: await knownOutput(artifacts) };
    const bill = wanted.find(isForBill);
    const others = wanted.filter((artifact) => artifact !== bill);
    const changes = await requests.decide(due, await requests.fetchArtifacts(due, others, known), known);
    if (bill !== undefined) {
      const at = billDueAt(due.execution.detectedAt ?? now(), billAfterMs, artifacts, changes);
      if (at > now()) changes.push(postponed(bill, at));
      else
        changes.push(
          ...(await requests.decide(due, await requests.fetchArtifacts(due, [bill], known), known)),
        );
    }
    await save(due, changes);
  }

  function fetchEarly(subject: Subject): EarlyFetch | null {
    return takesOver() && capacity() > 0 ? earlyFetches.begin(subject) : null;
  }

  function recordChange(record: StoredRecord, askedAt: number, others: readonly Change[]): Change {
    const at = now();
    const awaitsBill = record.summary?.awaits_bill === true;
    const againInMs = awaitsBill ? billDueAt(at, billAfterMs, [], others) - at : null;
    const fetched = { type: "got", ...record, againInMs } as const;
    return changeOf({ artifact: untried("record"), askedAt, fetched }, at, outageCheck.awayAt());
  }

  function handOver(
    subject: Subject,
    leaseUntil: number,
    record: StoredRecord | null,
    early: EarlyFetch | null,
  ): void {
    claims.track(subject, leaseUntil);
    const known = knownBy(subject, record);
    add(subject, async () => {
      const kinds = artifactKinds.filter((kind) => (kind === "record" ? record === null : early === null));
      const fetched = requests.fetchArtifacts(subject, kinds.map(untried), known);
      const decided = fetched.then((attempts) => requests.decide(subject, attempts, known));
      const changes = (await Promise.all([decided, early?.changes() ?? []])).flat();
      const bill = { ...untried("record"), tries: 1, summary: record?.summary ?? null };
      if (isForBill(bill)) changes.push(postponed(bill, billDueAt(now(), billAfterMs, [], changes)));
      await save(subject, changes);
    });
  }

  async function knownOutput(artifacts: ArtifactState[]): Promise<Printed | null> {
    const record = artifacts.find(({ kind, fetched_at }) => kind === "record" && fetched_at !== null);
    if (record === undefined) return null;
    const summary = record.summary as RecordSummary | null;
    // Do not load output that the log is not compared with: it may be large.
    if (summary?.tells_output === false && summary.shows_output !== true && summary.has_output !== undefined)
      return { isAny: summary.has_output, isAll: false, output: null };
    const document = (await batchRead(recordsOf, record.execution_id)) as RecordDocument;
    return printedIn({ document, summary });
  }

  async function save({ execution: { id } }: Subject, artifacts: Change[]): Promise<void> {
    const record = artifacts.find(({ snapshot }) => snapshot !== undefined)?.snapshot;
    await saveCollected(context, { executionId: id, artifacts, record });
  }

  return {
    name: "collect",
    async runOnce() {
      outageCheck.alive();
      if (capacity() <= 0) return null;
      for (const due of await claims.take(capacity())) add(due, () => collectDue(due));
      return nextDueAt(db, "collect");
    },
    fetchEarly,
    leaseFrom: (from, early) => (takesOver() && (early !== null || capacity() > 0) ? from + LEASE_MS : null),
    recordChange,
    handOver,
    async idle() {
      await earlyFetches.idle();
      await collections.onIdle();
    },
    release: claims.release,
  };
}

const LEASE_MS = 10 * 60_000;

/** A complete record that is read again only for its bill. */
function isForBill({ kind, summary }: Wanted): boolean {
  return kind === "record" && (summary as RecordSummary | null)?.awaits_bill === true;
}

function postponed({ kind, tries }: Wanted, dueAt: number): Change {
  return { kind, state: "pending", dueAt, tries };
}
