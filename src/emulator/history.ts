// `GET /billing/history`: the only paged list of runs. Order and page size are undocumented, so switches set them.
import type { Context, Hono } from "hono";
import * as z from "zod";
import { draw } from "./chaos.ts";
import { detailsOf } from "./detail.ts";
import { sendText, written } from "./documents.ts";
import { costOf, historyRow, offsetTime, shown } from "./records.ts";
import type { Switches } from "./switches.ts";
import { type Env, refuse, type World } from "./world.ts";

const historyQuery = z.object({
  limit: z.coerce.number().pipe(z.int().min(1)).default(50),
  offset: z.coerce.number().pipe(z.int().min(0)).default(0),
});

/** Written only if it is on the page. */
interface Row {
  /** Decides the place of the row when rows are unsorted. */
  name: string;
  write(): string;
}

export function addHistory(app: Hono<Env>, world: World): void {
  app.get("/billing/history", (c) => answer(c, world));
}

function answer(c: Context<Env>, world: World): Response {
  const { chaos, ledger, now } = world;
  const query = historyQuery.safeParse(c.req.query());
  if (!query.success) return refuse(c, 422, detailsOf(query.error, "query"));
  const { history } = chaos.current();
  const limit = Math.min(query.data.limit, history.page ?? Number.POSITIVE_INFINITY);
  const { offset } = query.data;

  const executions = ledger
    .all()
    .filter((execution) => !chaos.has("hidden.history", chaos.of(execution).hidden.history, execution));
  const own = executions.map((execution): Row => {
    const row = () => historyRow(execution, chaos.of(execution), now());
    return { name: `own ${execution.number}`, write: () => written(world, "history", row(), execution) };
  });
  const callsBefore = ledger.counts()["GET /billing/history"] ?? 0;
  const foreignCount = (history.foreign ?? 0) + (history.arriving ?? 0) * callsBefore;
  const foreign = Array.from({ length: foreignCount }, (_, nth) => foreignRow(nth, now()));
  const rows = withUnreadable(ordered([...own, ...foreign], history.order), history.unreadable);

  const counts: Record<string, number> = {};
  for (const execution of executions) {
    const status = shown(execution, chaos.of(execution));
    counts[status] = (counts[status] ?? 0) + 1;
  }
  const rest = {
    total_executions: rows.length,
    total_credits_spent: ledger.all().reduce((sum, execution) => sum + costOf(execution), 0),
    limit,
    offset,
    counts_by_status: counts,
  };
  const page = rows.slice(offset, offset + limit).map((row) => row.write());
  return sendText(c, `{"executions":[${page.join(",")}],${JSON.stringify(rest).slice(1)}`);
}

function ordered(rows: Row[], order: Switches["history"]["order"]): Row[] {
  if (order === "oldest") return rows;
  if (order !== "unsorted") return rows.reverse();
  return rows.sort((a, b) => draw(0, a.name, 0) - draw(0, b.name, 0));
}

const unreadableTexts = ["null", "{}", '"a row"', '{"status":"completed"}', '{"execution_id":[],"status":7}'];

function withUnreadable(rows: Row[], every: number | undefined): Row[] {
  if (!every) return rows;
  return rows.flatMap((row, nth) => {
    const odd = unreadableTexts[nth % unreadableTexts.length] ?? "null";
    return (nth + 1) % every === 0 ? [row, { name: "", write: () => odd }] : [row];
  });
}

function foreignRow(nth: number, at: number): Row {
  const row = {
    execution_id: `foreign-${nth}`,
    status: "completed",
    execution_type: "python code",
    hardware_profile: "cpu",
    file_name: "of-somebody-else.py",
    created_at: offsetTime(at),
    billed: 0.01,
  };
  return { name: `foreign ${nth}`, write: () => JSON.stringify(row) };
}
