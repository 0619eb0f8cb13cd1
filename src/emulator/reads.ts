// Calls about one run or the list of runs: status, record, timing, metrics, logs, list, abort, stop, delete.
import type { Context, Hono } from "hono";
import * as z from "zod";
import { metricsOf } from "./curves.ts";
import { detailsOf } from "./detail.ts";
import type { Execution } from "./execution.ts";
import { logsOf } from "./logs.ts";
import { listItem, recordOf, selectionStatus, shown, timingOf } from "./records.ts";
import type { Switches } from "./switches.ts";
import { type Env, refuse, type World } from "./world.ts";

const logQuery = z.object({
  limit: z.coerce.number().pipe(z.int().min(1).max(10_000)).default(1000),
  hours: z.coerce.number().pipe(z.int().min(1).max(168)).default(24),
});

const time = z.iso.datetime({ offset: true, local: true }).transform((text) => Date.parse(text));
const stepUnits = { s: 1000, m: 60_000, h: 3_600_000 };
const metricsQuery = z.object({
  start: time.optional(),
  end: time.optional(),
  step: z
    .string()
    .regex(/^[1-9]\d{0,4}[smh]$/)
    .default("15s")
    .transform((text) => Number.parseInt(text, 10) * stepUnits[text.slice(-1) as keyof typeof stepUnits]),
});

export function addReads(app: Hono<Env>, world: World): void {
  const { chaos, engine, ledger, now } = world;

  const about = (answer: (c: Context<Env>, execution: Execution, switches: Switches) => Response) => {
    return (c: Context<Env>) => {
      const execution = ledger.find(c.req.param("id") ?? "");
      if (execution === undefined) return refuse(c, 404, "Execution not found");
      const switches = chaos.of(execution);
      const visible = now() >= execution.acceptedAt + switches.missing;
      return visible ? answer(c, execution, switches) : refuse(c, 404, "Execution not found");
    };
  };
  const interrupt = (how: "abort" | "stop", status: string) =>
    about((c, execution) => {
      if (!engine.interrupt(execution, how)) return refuse(c, 404, "Execution not found or already ended");
      return c.json({ message: `Execution ${status}`, status });
    });

  app.get("/workloads/list", (c) => {
    const { sub_jobs } = chaos.current();
    const items = ledger
      .unfinished()
      .filter((execution) => execution.parentId === null || sub_jobs === "listed")
      .filter((execution) => !chaos.has("hidden.list", chaos.of(execution).hidden.list, execution))
      .map((execution) => listItem(execution, chaos.of(execution)));
    return c.json(items);
  });
  app.post("/workloads/abort/:id", interrupt("abort", "aborted"));
  app.post("/workloads/stop/:id", interrupt("stop", "stopped"));
  app.post("/execution/streaming/abort/:id", interrupt("abort", "aborted"));

  app.get(
    "/execution/streaming/:id/status",
    about((c, execution, switches) => {
      const errors = execution.finishedAt === undefined ? null : (execution.result?.errors ?? null);
      return c.json({ status: shown(execution, switches), errors });
    }),
  );
  app.get(
    "/execution/gpu_selection/:id/status",
    about((c, execution, switches) => {
      const isSelection = execution.start.kind === "gpu_selection";
      return isSelection
        ? c.json(selectionStatus(execution, switches))
        : refuse(c, 404, "Execution not found");
    }),
  );
  app.get(
    "/execution/:id",
    about((c, execution, switches) => c.json(recordOf(execution, switches))),
  );
  app.get(
    "/execution/:id/timing",
    about((c, execution) => c.json(timingOf(execution, now()))),
  );
  app.get(
    "/execution/:id/metrics",
    about((c, execution) => {
      const query = metricsQuery.safeParse(c.req.query());
      if (!query.success) return refuse(c, 422, detailsOf(query.error, "query"));
      const { start, end, step } = query.data;
      const span = {
        executionId: execution.id,
        number: execution.number,
        hardwareProfile: execution.hardwareProfile,
        startedAt: execution.startedAt,
        fromAt: start ?? execution.startedAt ?? execution.acceptedAt,
        toAt: Math.min(end ?? Number.POSITIVE_INFINITY, execution.endedAt ?? now()),
        stepMs: step,
      };
      return c.json(metricsOf(span));
    }),
  );
  app.get(
    "/logs/execution/:id",
    about((c, execution, switches) => {
      const query = logQuery.safeParse(c.req.query());
      if (!query.success) return refuse(c, 422, detailsOf(query.error, "query"));
      const late = chaos.has("logs.late", switches.logs.late, execution);
      const double = chaos.has("logs.double", switches.logs.double, execution);
      return c.json(logsOf(execution, { ...query.data, now: now(), late, double }, switches));
    }),
  );
  app.delete(
    "/execution/:id",
    about((c, execution) => {
      engine.remove(execution);
      return c.json({ message: "Execution deleted" });
    }),
  );
}
