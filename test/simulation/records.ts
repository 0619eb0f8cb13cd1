// The simulated Lyceum's view of one execution: its row, its record, its documents.
import { type Answer, own } from "./call.ts";
import type { Random } from "./random.ts";
import { iso, PRINTED, printedBy, printedLine, subJobOf, type Work } from "./work.ts";

const SECOND = 1_000;
const EARLY_WORDS = ["pending", "queued", "starting", "Waiting for docker container", "a new word"];

export function createRecords(random: Random, now: () => number) {
  function wordOf(work: Work, endKnownAt: number): string {
    if (now() >= endKnownAt) return work.isEndless ? "winding down" : work.word;
    if (now() >= work.startsAt) return "running";
    return random.pick(EARLY_WORDS);
  }

  const billOf = (work: Work) => (now() >= work.endsAt + work.billMs ? work.bill : 0);

  /** @param endKnownAt from when on its end is shown */
  function row(work: Work, endKnownAt: number) {
    const isOver = now() >= endKnownAt && !work.isEndless;
    return {
      execution_id: work.id,
      status: wordOf(work, endKnownAt),
      file_name: work.marker,
      created_at: iso(work.takenAt),
      ...(now() >= work.startsAt ? { start_time: iso(work.startsAt) } : {}),
      ...(isOver ? { end_time: iso(work.endsAt) } : {}),
    };
  }

  function record(work: Work): Record<string, unknown> {
    const shown = row(work, work.recordAt);
    if (now() < work.recordAt || work.isEndless) return shown;
    const output = { stdout: printedBy(work), return_code: work.returnCode };
    // Every other record tells all that a log can be judged by.
    const whole = isEven(work) ? { stderr: "", finish_time: iso(work.recordAt) } : {};
    const bill = work.isBilledInHistory ? {} : { billed: billOf(work) };
    return { ...shown, ...output, ...whole, ...bill };
  }

  const subJob = (work: Work) => ({
    ...{ execution_id: subJobOf(work), parent_execution_id: work.id, hardware_profile: "gpu.l40s" },
    ...(now() >= work.recordAt && !work.isEndless ? { billed: 2 * billOf(work) } : {}),
  });

  function selection(work: Work) {
    const jobs = work.hasSubJob
      ? [{ execution_id: subJobOf(work), status: wordOf(work, work.recordAt) }]
      : [];
    return { execution_id: work.id, status: wordOf(work, work.recordAt), sub_jobs: jobs };
  }

  /** With that of its sub-job. */
  function rows(work: Work, own: Record<string, unknown>): Record<string, unknown>[] {
    return work.hasSubJob ? [own, { ...own, ...subJob(work) }] : [own];
  }

  function metrics({ id, startsAt, endsAt }: Work) {
    const timeRange = { start: iso(startsAt), end: iso(Math.min(endsAt, now())) };
    return { executionId: id, hostname: "node-1", timeRange, systemCpuUsagePercent: [sample(startsAt)] };
  }

  /** Logs arrive late, one line after the other, and the last one may take its time. */
  function logs(work: Work): Answer {
    const arrived = Math.floor((now() - work.startsAt) / (4 * SECOND));
    const most = now() < work.endsAt + work.tailMs ? PRINTED - (work.tailMs > 0 ? 1 : 0) : PRINTED;
    const lines = Math.max(0, Math.min(most, arrived));
    const entries = Array.from({ length: lines }, (_, line) => {
      return { timestamp: iso(work.startsAt + line), message: printedLine(work, line) };
    });
    return own(200, { logs: entries, total: lines });
  }

  return {
    record,
    subJobRecord: (work: Work) => ({ ...record(work), ...subJob(work) }),
    logs,
    metrics,
    selection,
    status: (work: Work) => ({ execution_id: work.id, status: wordOf(work, work.recordAt) }),
    listRows: (work: Work) => rows(work, row(work, work.recordAt)),
    historyRows: (work: Work) => rows(work, { ...row(work, work.endsAt), billed: billOf(work) }),
  };
}

const sample = (at: number) => ({ timestamp: iso(at), value: 12.5 });

function isEven({ id }: Work): boolean {
  return Number(id.slice(1)) % 2 === 1;
}
