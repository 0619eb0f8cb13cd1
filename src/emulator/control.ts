// The emulator's own routes below /__emulator, without a token: only this machine can reach them.
import { Hono } from "hono";
import * as z from "zod";
import { directiveHelp } from "./directives.ts";
import type { RecordedCall } from "./ledger.ts";
import type { ExecutionSnapshot } from "./snapshot.ts";
import type { Switches } from "./switches.ts";
import { changesSchema } from "./switches.ts";
import { type Env, readJson } from "./world.ts";

interface Control {
  executions(): ExecutionSnapshot[];
  calls(): RecordedCall[];
  callCounts(): Record<string, number>;
  switches(): Switches;
  setChaos(changes: z.input<typeof changesSchema>): void;
  reset(): Promise<void>;
}

const stateQuery = z.object({ limit: z.coerce.number().pipe(z.int().min(0)).default(1000) });

export function controlRoutes(control: Control): Hono<Env> {
  const app = new Hono<Env>();
  const switches = z.toJSONSchema(changesSchema, { io: "input" }).properties;

  app.get("/", (c) =>
    c.json({
      what: "A local stand-in for Lyceum. Everything that Lyceum does not document is invented here.",
      calls: ["GET /__emulator/state?limit=", "POST /__emulator/chaos", "POST /__emulator/reset"],
      directives: directiveHelp,
      switches,
      current: control.switches(),
    }),
  );
  app.get("/state", (c) => {
    const query = stateQuery.safeParse(c.req.query());
    if (!query.success) return c.json({ issues: query.error.issues }, 422);
    const { limit } = query.data;
    const newest = <T>(items: T[]) => (limit === 0 ? [] : items.slice(-limit));
    return c.json({
      executions: newest(control.executions()),
      calls: newest(control.calls()),
      call_counts: control.callCounts(),
      switches: control.switches(),
    });
  });
  app.post("/chaos", async (c) => {
    const parsed = changesSchema.safeParse(await readJson(c));
    if (!parsed.success) return c.json({ issues: parsed.error.issues }, 422);
    control.setChaos(parsed.data);
    return c.json(control.switches());
  });
  app.post("/reset", async (c) => {
    await control.reset();
    return c.json({ reset: true });
  });
  return app;
}
