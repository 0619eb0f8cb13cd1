// Calls about the account: tokens, hardware, prices, credits, history, health.
import type { Hono } from "hono";
import * as z from "zod";
import { detailsOf } from "./detail.ts";
import { prices } from "./hardware.ts";
import { costOf, historyRow, offsetTime, shown, userId } from "./records.ts";
import { type Env, readJson, refuse, type World } from "./world.ts";

const loginBody = z.object({ email: z.string(), password: z.string() });
const refreshBody = z.object({ refresh_token: z.string() });
const historyQuery = z.object({
  limit: z.coerce.number().pipe(z.int().min(1)).default(50),
  offset: z.coerce.number().pipe(z.int().min(0)).default(0),
});

const creditsGranted = 50;

export function addAccount(app: Hono<Env>, { auth, chaos, ledger, now }: World): void {
  const openedAt = now();
  const spent = () => ledger.all().reduce((sum, execution) => sum + costOf(execution), 0);

  app.post("/auth/login", async (c) => {
    const body = loginBody.safeParse(await readJson(c));
    if (!body.success) return refuse(c, 422, detailsOf(body.error, "body"));
    const tokens = auth.login(body.data.email, body.data.password);
    return tokens ? c.json(tokens) : refuse(c, 401, "Invalid credentials");
  });
  app.post("/auth/refresh", async (c) => {
    const body = refreshBody.safeParse(await readJson(c));
    if (!body.success) return refuse(c, 422, detailsOf(body.error, "body"));
    const tokens = auth.refresh(body.data.refresh_token);
    return tokens ? c.json(tokens) : refuse(c, 401, "Invalid refresh token");
  });

  app.get("/machine-types", (c) => {
    const rows = Object.entries(prices).map(([hardware_profile, price_per_hour]) => ({
      hardware_profile,
      price_per_hour,
    }));
    return c.json({ machine_types: rows });
  });
  app.get("/user/quotas/available-hardware", (c) =>
    c.json({ available_hardware_profiles: Object.keys(prices) }),
  );
  app.get("/pricing", (c) => {
    // The meter of runs is not known; this slug is invented.
    const rows = Object.entries(prices).map(([hardware_profile, perHour]) => ({
      meter_slug: "emulator_execution_running",
      resource: "execution",
      applies_to: { hardware_profile },
      unit: "second",
      unit_price: (perHour / 3600).toFixed(8),
      unit_price_per_hour: perHour.toFixed(8),
    }));
    return c.json({ prices: rows });
  });

  app.get("/billing/credits", (c) => {
    const used = spent();
    return c.json({
      available_credits: creditsGranted,
      used_credits: used,
      remaining_credits: creditsGranted - used,
      monthly_free_credits: 20,
      purchased_credits: 30,
      total_credits_used: used,
      signup_grant_claimed_at: null,
    });
  });
  app.get("/billing/history", (c) => {
    const query = historyQuery.safeParse(c.req.query());
    if (!query.success) return refuse(c, 422, detailsOf(query.error, "query"));
    const { limit, offset } = query.data;
    const rows = ledger
      .all()
      .filter((execution) => !chaos.has("hidden.history", chaos.of(execution).hidden.history, execution))
      .reverse();
    const counts: Record<string, number> = {};
    for (const execution of rows) {
      const status = shown(execution, chaos.of(execution));
      counts[status] = (counts[status] ?? 0) + 1;
    }
    return c.json({
      executions: rows.slice(offset, offset + limit).map((row) => historyRow(row, chaos.of(row))),
      total_executions: rows.length,
      total_credits_spent: spent(),
      limit,
      offset,
      counts_by_status: counts,
    });
  });

  app.get("/user/status", (c) =>
    c.json({
      user_id: userId,
      org_id: "org-emulator",
      email: "emulator@example.test",
      full_name: null,
      created_at: offsetTime(openedAt),
      is_active: true,
      active_api_keys_count: 1,
      credit_balance: creditsGranted - spent(),
      status: "authenticated",
    }),
  );
  app.get("/health/ping", (c) => c.json({ status: "healthy" }));
}
