// Holds the books against what Lyceum and callers saw: starts, doubts, acknowledgements, limits, endings.
import type { Agenda } from "./agenda.ts";
import type { Books, Snapshot } from "./books.ts";
import type { Fleet } from "./fleet.ts";
import type { Host } from "./host.ts";
import { demand } from "./invariants.ts";
import { createAborts } from "./judges/aborts.ts";
import { createBills } from "./judges/bills.ts";
import { createDeletions } from "./judges/deletions.ts";
import { createDocuments } from "./judges/documents.ts";
import { createInstances } from "./judges/instances.ts";
import { createKnowledge } from "./judges/knowledge.ts";
import { createLimits } from "./judges/limits.ts";
import { createLoss } from "./judges/loss.ts";
import { createOutages } from "./judges/outages.ts";
import { createParallels } from "./judges/parallels.ts";
import { pauseOf } from "./judges/pauses.ts";
import { createSilences } from "./judges/silences.ts";
import { createStarts } from "./judges/starts.ts";
import type { Lyceum } from "./lyceum.ts";
import type { Heard, Sent } from "./network.ts";
import type { Work } from "./work.ts";

interface JudgeOptions {
  books: Books;
  agenda: Agenda;
  fleet: Fleet;
  lyceum: Lyceum;
  inDoubtAfterMs: number;
  pollMaxMs: number;
  callbackGraceMs: number;
  retentionMs: number;
  submit: { limit: { max: number; windowMs: number } | null; concurrency: number };
  /** The longest time that commits may take. */
  slackMs: number;
}

const SECOND = 1_000;
/** Within this nobody gives up the starts of a host that stands still. */
const SHORT_SILENCE_MS = 10 * SECOND;
/** More reads of one execution in a minute are a loop gone wild. */
const MAX_READS_A_MINUTE = 75;

export type Judge = ReturnType<typeof createJudge>;

export function createJudge(options: JudgeOptions) {
  const { books, agenda, fleet, lyceum, submit } = options;
  const now = () => agenda.monotonic();
  /** HTTP status of Lyceum's verdict on a start. */
  const verdicts = new Map<string, number>();
  const reads = new Map<string, number[]>();
  const acknowledgedJobs = new Map<string, string>();
  const acknowledgedCallbacks = new Map<string, number>();
  /** Executions that a run had when its cancellation was acknowledged: no others may follow. */
  const cancelled = new Map<string, Set<string>>();
  const cancelledAt = new Map<string, number>();
  const silences = createSilences(now);
  const blindness = createSilences(now);
  const loss = createLoss({ ...options, now, silences });
  const aborts = createAborts({ ...options, now, lostAt: loss.lostAt });
  const bills = createBills({ ...options, now });
  const deletions = createDeletions(options);
  const documents = createDocuments(now);
  const knowledge = createKnowledge({ ...options, silences: [silences, blindness] });
  const outages = createOutages(now, submit.concurrency, fleet.hosts.length);
  const isAlone = fleet.hosts.length === 1;
  const limits = createLimits({ ...options, isAlone });
  const parallels = createParallels(options);
  const starts = createStarts({ books, lyceum, cancelled });
  const instances = isAlone ? null : createInstances({ ...options, now });
  let pausedUntil = 0;

  /** Nobody reads one execution without pause. */
  function read(id: string): void {
    const recent = (reads.get(id) ?? []).filter((at) => at > now() - 60 * SECOND);
    reads.set(id, [...recent, now()]);
    demand(recent.length < MAX_READS_A_MINUTE, () => `${id} is read without pause`);
  }

  return {
    verdicts,
    cancelledAt,
    deletions,
    compareBills: bills.compare,
    compareGivenUp: documents.compareGivenUp,
    sent({ host, call, arrives, outage, lateMs }: Sent): void {
      if (call.route === "record") read(call.id);
      if (call.route === "list") instances?.listed(host);
      aborts.sent(call);
      if (call.route !== "start") return;
      const isInTime = starts.sent(call.marker, lateMs);
      if (!isInTime) return;
      limits.sent(call.marker, arrives, host);
      outages.sent(outage);
    },
    /** Until then a 429 keeps the service from asking anything but starts (monotonic). */
    pausedUntil: () => pausedUntil,
    heard(heard: Heard): void {
      if (heard.answer !== null && heard.call.route !== "start")
        pausedUntil = Math.max(pausedUntil, now() + pauseOf(heard.answer));
      loss.heard(heard);
      aborts.heard(heard);
      bills.heard(heard);
      documents.heard(heard);
      knowledge.heard(heard);
      limits.heard(heard);
    },
    /** Right after an instance has changed the database that several share. */
    committed: (instance: string) => instances?.committed(instance),
    taken(work: Work): void {
      parallels.taken(work);
      starts.taken(work);
    },
    judged(marker: string, status: number): void {
      verdicts.set(marker, status);
      limits.judged(marker);
    },
    died(host: Host, instance: string): void {
      limits.fellSilent(host);
      loss.died();
      bills.died();
      outages.booted();
      instances?.died(instance);
    },
    stoodStill(host: Host, ms: number): void {
      if (ms >= SHORT_SILENCE_MS) limits.fellSilent(host);
      instances?.stoodStill(host);
    },
    acknowledgeJob(id: string, name: string): void {
      const earlier = [...acknowledgedJobs].filter(([other]) => !deletions.isMarked(other));
      const known = earlier.find(([, other]) => other === name)?.[0] ?? id;
      demand(known === id, () => `${name} was answered as ${known} and as ${id}`);
      acknowledgedJobs.set(id, name);
    },
    acknowledgeCallback(marker: string): void {
      acknowledgedCallbacks.set(marker, (acknowledgedCallbacks.get(marker) ?? 0) + 1);
    },
    acknowledgeCancel(runId: string): void {
      const known = books.executions().filter((execution) => execution.run_id === runId);
      cancelledAt.set(runId, cancelledAt.get(runId) ?? now());
      cancelled.set(runId, cancelled.get(runId) ?? new Set(known.map(({ id }) => id)));
    },
    silence: silences.note,
    /** Call with true while no record tells anything, whoever asks. */
    blindness: blindness.note,
    jumped(ms: number): void {
      silences.cut();
      knowledge.jumped(ms);
      limits.jumped();
    },
    check(snapshot: Snapshot): void {
      const { executions } = snapshot;
      deletions.check(snapshot);
      const jobs = snapshot.jobs.filter(({ deleted_at }) => deleted_at === null);
      const names = new Map(jobs.map((job) => [job.id, job.name]));
      for (const [id, name] of acknowledgedJobs) {
        demand(
          deletions.isMarked(id) || names.get(id) === name,
          () => `job ${id} was acknowledged and is gone`,
        );
      }
      demand(new Set(names.values()).size === names.size, () => "one submission made two jobs");
      for (const [marker, count] of acknowledgedCallbacks) {
        const kept = executions.some(({ id }) => id === marker) ? books.callbacksOf(marker) : count;
        demand(kept >= Math.min(count, 32), () => `of ${count} callbacks for ${marker} ${kept} are kept`);
      }
      for (const { id, status } of executions) {
        const isRight = status !== "rejected" || verdicts.get(id) === 422;
        demand(isRight, () => `${id} is rejected, and not by Lyceum`);
      }
      loss.check(executions);
      knowledge.check(executions);
      limits.check(jobs, executions);
      instances?.check();
    },
  };
}
