// Calls about one run or the list of runs: status, record, timing, metrics, logs, list, abort, stop, delete.
import type { Context, Hono } from "hono";
import * as z from "zod";
import { metricsOf } from "./curves.ts";
import { detailsOf } from "./detail.ts";
import { send, sendText, written } from "./documents.ts";
import type { Execution } from "./execution.ts";
import { logsOf } from "./logs.ts";
import { listItem, recordOf, selectionStatus, shown, timingOf } from "./records.ts";
import type { Switches } from "./switches.ts";
import { type Env, refuse, type World } from "./world.ts";

const logQuery = z.object({
  limit: z.coerce.number().pipe(z.int().min(1).max(10_000)).default(1000),
  hours: z.coerce.number().pipe(z.int().min(1).max(168)).default(24),
});

const alreadyEnded = "Execution not found or already ended";

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
    about((c, execution, { abort }) => {
      if (chaos.happens("abort.404", abort["404"])) return refuse(c, 404, alreadyEnded);
      if (chaos.happens("abort.409", abort["409"])) return refuse(c, 409, "Execution cannot be stopped now");
      if (!engine.interrupt(execution, how)) return refuse(c, 404, alreadyEnded);
      return send(c, world, "abort", { message: `Execution ${status}`, status }, execution);
    });
  const orAnother = (execution: Execution, { mixed_up }: Switches) =>
    (chaos.happens("mixed_up", mixed_up) && ledger.neighbour(execution)) || execution;
  /** Timing and metrics before they are available. */
  const gap = (c: Context<Env>, { endedAt }: Execution, switches: Switches) => {
    const { artifact_lag, artifact_gap } = switches;
    if (artifact_lag === 0 || now() >= (endedAt ?? now()) + artifact_lag) return undefined;
    return c.json(artifact_gap === "empty" ? {} : { [artifact_gap]: "Not available yet" });
  };

  app.get("/workloads/list", (c) => {
    const { sub_jobs } = chaos.current();
    const items = ledger
      .listed()
      .filter((execution) => execution.parentId === null || sub_jobs === "listed")
      .filter((execution) => !chaos.has("hidden.list", chaos.of(execution).hidden.list, execution))
      .map((execution) => written(world, "list", listItem(execution, chaos.of(execution)), execution));
    return sendText(c, `[${items.join(",")}]`);
  });
  app.post("/workloads/abort/:id", interrupt("abort", "aborted"));
  app.post("/workloads/stop/:id", interrupt("stop", "stopped"));
  app.post("/execution/streaming/abort/:id", interrupt("abort", "aborted"));

  app.get(
    "/execution/streaming/:id/status",
    about((c, asked, switches) => {
      const execution = orAnother(asked, switches);
      const errors = execution.finishedAt === undefined ? null : (execution.result?.errors ?? null);
      return send(c, world, "status", { status: shown(execution, switches), errors }, execution);
    }),
  );
  app.get(
    "/execution/gpu_selection/:id/status",
    about((c, execution, switches) => {
      const isSelection = execution.start.kind === "gpu_selection";
      return isSelection
        ? send(c, world, "selection", selectionStatus(execution, switches), execution)
        : refuse(c, 404, "Execution not found");
    }),
  );
  app.get(
    "/execution/:id",
    about((c, asked, switches) => {
      const execution = orAnother(asked, switches);
      return send(c, world, "record", recordOf(execution, chaos.of(execution), now()), execution);
    }),
  );
  app.get(
    "/execution/:id/timing",
    about(
      (c, execution, switches) =>
        gap(c, execution, switches) ??
        send(c, world, "timing", timingOf(execution, switches, now()), execution),
    ),
  );
  app.get(
    "/execution/:id/metrics",
    about((c, execution, switches) => {
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
      return gap(c, execution, switches) ?? send(c, world, "metrics", metricsOf(span), execution);
    }),
  );
  app.get(
    "/logs/execution/:id",
    about((c, execution, switches) => {
      const query = logQuery.safeParse(c.req.query());
      if (!query.success) return refuse(c, 422, detailsOf(query.error, "query"));
      const late = chaos.has("logs.late", switches.logs.late, execution);
      const double = chaos.has("logs.double", switches.logs.double, execution);
      const log = logsOf(execution, { ...query.data, now: now(), late, double }, switches);
      return send(c, world, "logs", log, execution);
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
