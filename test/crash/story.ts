// The report of what went wrong: each violation, and the whole story of the run that it is about.
import { type Evidence, ourId } from "./evidence.ts";
import type { Violation } from "./verdict.ts";

/** Stories are long, and the first few tell the bug. */
const mostStories = 5;
const mostLines = 40;

export function tell(violations: readonly Violation[], evidence: Evidence | null): string {
  const lines = violations
    .slice(0, mostLines)
    .map(({ about, text }) => `  ${about ?? "the service"}: ${text}`);
  if (violations.length > mostLines) lines.push(`  … and ${violations.length - mostLines} more`);
  const subjects = new Set(violations.flatMap(({ about }) => (about === null ? [] : [about])));
  const stories =
    evidence === null
      ? []
      : [...subjects].slice(0, mostStories).map((about) => `\n${story(about, evidence).join("\n")}`);
  return [`${violations.length} violations:`, ...lines, ...stories].join("\n");
}

function story(about: string, { acknowledged, jobs, runs, events, lyceum }: Evidence): string[] {
  const concerned = runs.filter(
    (run) => run.id === about || run.job_id === about || run.executions.some((one) => one.id === about),
  );
  const jobId = concerned[0]?.job_id ?? about;
  const job = jobs.find((one) => one.id === jobId);
  const submission = acknowledged.find((one) => one.jobId === jobId);
  const ids = new Set([about, ...concerned.flatMap((run) => run.executions.map((one) => one.id))]);
  const own = events.filter(
    (event) =>
      event.job_id === jobId && (event.run_id === null || concerned.some((run) => run.id === event.run_id)),
  );
  const views = lyceum.filter((execution) => ids.has(ourId(execution)));
  const at = (ms: number) => new Date(ms).toISOString().slice(11, 23);
  return [
    `The story of ${about}`,
    `  submitted  ${submission === undefined ? "by nobody who was answered" : JSON.stringify(submission.body)}`,
    `  job        ${job === undefined ? "not there" : JSON.stringify(job)}`,
    ...concerned.map(({ executions: _, ...run }) => `  run        ${JSON.stringify(run)}`),
    ...concerned.flatMap((run) => run.executions.map((one) => `  execution  ${JSON.stringify(one)}`)),
    ...own.map((event) => `  event      ${at(event.created_at)} ${event.seq} ${event.type} ${event.data}`),
    ...views.map((one) => {
      const ended = one.endedAt === null ? "still alive" : `ended ${at(one.endedAt)}`;
      const calls = one.callbacks.map((call) => `${at(call.at)} ${call.status ?? call.problem}`).join(", ");
      return `  Lyceum     ${one.executionId} for ${ourId(one)}: accepted ${at(one.acceptedAt)}, ${ended} as ${one.status}; callbacks: ${calls || "none"}`;
    }),
  ];
}
