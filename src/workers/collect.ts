// Collect: after an execution's end its record, timing, logs and metrics are fetched, each with its own state
// and reason. When none is pending any more the run becomes terminal.
import PQueue from "p-queue";
import { type Attempt, afterRefusal, afterSilence, type Verdict } from "../domain/collection.ts";
import type { RecordSummary } from "../domain/selection.ts";
import type { LyceumClient, Size } from "../lyceum/client.ts";
import { saveCollected } from "../orchestration/collect.ts";
import type { Context } from "../orchestration/context.ts";
import { type ArtifactChange, type ArtifactState, listArtifacts, readDocument } from "../store/artifacts.ts";
import { type Due, nextDueAt } from "../store/due.ts";
import { type ArtifactKind, artifactKinds } from "../store/schema.ts";
import { createClaims } from "./claims.ts";
import { type Fetched, fetchers, type Subject } from "./fetch.ts";
import type { Worker } from "./loop.ts";
import { type Printed, printedIn, type RecordDocument, type StoredRecord } from "./reading.ts";

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
  onRoom: () => void;
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
  const { lyceum, now, concurrency = 32, logSpacingMs = 5_000, takesOver, onRoom } = options;
  const collections = new PQueue({ concurrency });
  const large = new PQueue({ concurrency: 1 });
  const claims = createClaims(context, "collect", LEASE_MS);
  const { db } = context.store;
  const fetchArtifact = fetchers({ lyceum, now, logSpacingMs, db });
  const room = () => concurrency - collections.pending - collections.size;

  function add(due: Subject, work: () => Promise<void>): void {
    void collections
      .add(work)
      .catch((error) => context.report.fault("collect", error))
      .finally(() => {
        claims.done([due]);
        onRoom();
      });
  }

  async function collectDue(due: Due): Promise<void> {
    const artifacts = await listArtifacts(db, [due.execution.id]);
    const isDue = ({ state, due_at }: ArtifactState) => state === "pending" && (due_at ?? 0) <= now();
    const wanted = artifactKinds.flatMap((kind): Wanted[] => {
      const known = artifacts.find((artifact) => artifact.kind === kind);
      if (known === undefined) return [untried(kind)];
      return isDue(known) ? [known] : [];
    });
    const record = await printedOf(artifacts);
    await keep(due, await fetchAll(due, wanted, record, "usual"), record);
  }

  function begin(of: Subject, record: StoredRecord | null): Begun | null {
    if (!takesOver() || room() <= 0) return null;
    const wanted = artifactKinds.filter((kind) => kind !== "record" || record === null).map(untried);
    const printed = record === null ? null : printedIn(record);
    const end = Promise.withResolvers<boolean>();
    add(of, async () => {
      const fetching = fetchAll(of, wanted, printed, "usual");
      const [results, isWritten] = await Promise.all([fetching, end.promise]);
      if (isWritten) await keep(of, results, printed);
    });
    return {
      holdUntil: (from) => from + LEASE_MS,
      ended(heldUntil) {
        if (heldUntil !== null) claims.adopt(of, heldUntil);
        end.resolve(heldUntil !== null);
      },
    };
  }

  async function printedOf(artifacts: ArtifactState[]): Promise<Printed | null> {
    const record = artifacts.find(({ kind, fetched_at }) => kind === "record" && fetched_at !== null);
    if (record === undefined) return null;
    const summary = record.summary as RecordSummary | null;
    // What the log is not compared with is not loaded: it may be large.
    if (summary?.tells_output === false && summary.has_output !== undefined)
      return { isAny: summary.has_output, output: null };
    const document = (await readDocument(db, record.execution_id, "record")) as RecordDocument;
    return printedIn({ document, summary });
  }

  /** What was too large is asked for again, for one execution at a time: many at once would not fit into memory. */
  async function keep(of: Subject, results: Result[], record: Printed | null): Promise<void> {
    if (!results.some(isTooLarge)) return save(of, results);
    await large.add(async () => {
      const whole: Result[] = [];
      for (const result of results) {
        if (isTooLarge(result)) whole.push(...(await fetchAll(of, [result.artifact], record, "large")));
        else whole.push(result);
      }
      await save(of, whole);
    });
  }

  /** A fault of ours: told, and counted like silence, so that the run ends all the same. */
  function notWorkedOn(error: unknown): Fetched {
    context.report.fault("collect", error);
    return { outcome: "unreachable", detail: "could not be worked on" };
  }

  function fetchAll(of: Subject, wanted: Wanted[], record: Printed | null, size: Size): Promise<Result[]> {
    return Promise.all(
      wanted.map(async (artifact) => ({
        artifact,
        fetched: await fetchArtifact[artifact.kind](of, artifact.tries, record, size).catch(notWorkedOn),
      })),
    );
  }

  async function save({ execution: { id } }: Subject, results: Result[]): Promise<void> {
    const at = now();
    const artifacts = results.map(({ artifact, fetched }) => {
      return { kind: artifact.kind, ...changeOf(artifact, fetched, at) };
    });
    const [record] = results.flatMap(({ fetched }) => ("reading" in fetched ? (fetched.reading ?? []) : []));
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
    handBack: claims.handBack,
  };
}

interface Result {
  artifact: Wanted;
  fetched: Fetched;
}

function isTooLarge({ fetched }: Result): boolean {
  return fetched.outcome === "unreadable" && fetched.isTooLarge;
}

type Wanted = Pick<ArtifactState, "kind" | "tries" | "first_tried_at" | "fetched_at">;

function untried(kind: ArtifactKind): Wanted {
  return { kind, tries: 0, first_tried_at: null, fetched_at: null };
}

const LEASE_MS = 10 * 60_000;

function changeOf(
  artifact: Wanted,
  result: Fetched,
  now: number,
): Omit<ArtifactChange, "executionId" | "kind"> {
  const firstTriedAt = artifact.first_tried_at ?? now;
  const tried = { tries: artifact.tries + 1, firstTriedAt };
  if (result.outcome === "got") {
    const { document, summary, againInMs } = result;
    const kept = { ...tried, document, fetchedAt: now, ...(summary === undefined ? {} : { summary }) };
    return againInMs === null
      ? { state: "stored", dueAt: null, reason: null, ...kept }
      : { state: "pending", dueAt: now + againInMs, ...kept };
  }
  const isAnswer =
    result.outcome === "missing" || result.outcome === "refused" || result.outcome === "too_late";
  const tries = isAnswer ? tried.tries : artifact.tries;
  const verdict = verdictOn(result, { tries, firstTriedAt, now });
  if ("retryInMs" in verdict)
    return { state: "pending", dueAt: now + verdict.retryInMs, tries, firstTriedAt };
  // What an earlier read brought is worth more than nothing: it stays, with the reason why it may lack something.
  const state = artifact.fetched_at === null ? "unavailable" : "stored";
  return { state, dueAt: null, tries, firstTriedAt, reason: verdict.giveUp };
}

function verdictOn(result: Exclude<Fetched, { outcome: "got" }>, attempt: Attempt): Verdict {
  switch (result.outcome) {
    case "too_late":
      return { giveUp: result.detail };
    case "missing":
      return afterRefusal(attempt, `not found (${result.detail})`);
    case "refused":
      return afterRefusal(attempt, `refused with ${result.status} (${result.detail})`);
    case "throttled":
      return afterSilence(attempt, result.retryAfterMs, "throttled");
    case "unreadable":
      return afterSilence(attempt, result.isTooLarge ? TOO_LARGE_RETRY_MS : SILENT_RETRY_MS, result.detail);
    default:
      return afterSilence(attempt, SILENT_RETRY_MS, result.detail);
  }
}

const SILENT_RETRY_MS = 15_000;
/** All that is taken of it would be read again each time. */
const TOO_LARGE_RETRY_MS = 5 * 60_000;
