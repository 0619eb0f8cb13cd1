// Series for charts.
import * as operations from "../../contract/operations/service.ts";
import type { StatsPointView, StatsView, TimeToKnowledgeView } from "../../contract/stats.ts";
import { toCredits } from "../../domain/cost.ts";
import { DELAY, knowledgeOf, type TimeToKnowledge } from "../../orchestration/time-to-knowledge.ts";
import { levelsBefore, readStats, startOf, stepMs } from "../../store/stats.ts";
import { ownerSeenBy } from "../auth.ts";
import { invalid } from "../problem.ts";
import { callerOf } from "../read-request.ts";
import { type Input, type Route, route } from "../route.ts";
import { iso } from "../views/view.ts";

export const statsRoutes: Route[] = [
  route({
    method: "GET",
    path: "/v1/stats",
    isLarge: true,
    access: "read",
    operation: operations.getStats,
    handle: getStats,
  }),
];

async function getStats({ c, context, query }: Input<typeof operations.getStats>) {
  const { step } = query;
  const to = query.to ?? context.now();
  const from = startOf(step, query.from ?? to - USUAL_STEPS[step] * stepMs[step]);
  const steps = Math.ceil((to - from) / stepMs[step]);
  if (steps < 1 || steps > MAX_STEPS || from < 0) {
    const detail = `must be before \`to\`, by ${MAX_STEPS} steps at most`;
    return invalid(c, [{ pointer: "query:from", detail }]);
  }
  const { db } = context.store;
  const points = new Map((await readStats(db, step, from, to)).map(({ at, values }) => [at, values]));
  const levels = await levelsBefore(db, from);
  const showsCost = ownerSeenBy(callerOf(c)) === null;
  const data: StatsPointView[] = [];
  for (let at = from; at < to; at += stepMs[step]) {
    const values = points.get(at) ?? new Map<string, number>();
    for (const name of ["waiting", "alive"]) {
      const level = values.get(name);
      if (level !== undefined) levels.set(name, level);
    }
    data.push(viewPoint(at, values, levels, showsCost));
  }
  return c.json({ from: iso(from), to: iso(to), step, data, next_cursor: null } satisfies StatsView);
}

const USUAL_STEPS = { "1m": 60, "1h": 24 };
const MAX_STEPS = 10_000;

function viewPoint(
  at: number,
  values: ReadonlyMap<string, number>,
  levels: ReadonlyMap<string, number>,
  showsCost: boolean,
): StatsPointView {
  const of = (name: string) => values.get(name) ?? 0;
  const delays = new Map<string, number>();
  for (const [name, value] of values) if (name.startsWith(DELAY)) delays.set(name.slice(DELAY.length), value);
  return {
    at: new Date(at).toISOString(),
    waiting: levels.get("waiting") ?? null,
    alive: levels.get("alive") ?? null,
    started: of("started"),
    ended: {
      succeeded: of("ended.succeeded"),
      failed: of("ended.failed"),
      cancelled: of("ended.cancelled"),
    },
    callbacks: {
      received: of("callbacks.received"),
      early: of("callbacks.early"),
      duplicate: of("callbacks.duplicate"),
      late: of("callbacks.late"),
      missed: of("callbacks.missed"),
      rejected: {
        missing_token: of("callbacks.rejected.missing_token"),
        wrong_token: of("callbacks.rejected.wrong_token"),
        unknown_path: of("callbacks.rejected.unknown_path"),
      },
    },
    time_to_knowledge: viewKnowledge(knowledgeOf(delays)),
    cost: showsCost
      ? { billed: toCredits(of("cost.billed")), estimated: toCredits(of("cost.estimated")) }
      : null,
    lyceum_calls: { total: of("lyceum.calls"), failed: of("lyceum.failed") },
  };
}

export function viewKnowledge(knowledge: TimeToKnowledge | null): TimeToKnowledgeView | null {
  if (knowledge === null) return null;
  const { p50Ms, p95Ms, p99Ms, samples, shareInTime } = knowledge;
  return { p50_ms: p50Ms, p95_ms: p95Ms, p99_ms: p99Ms, samples, share_in_time: shareInTime };
}
