// Calls about the account: tokens, hardware, prices, credits, health.
import type { Hono } from "hono";
import * as z from "zod";
import { detailsOf } from "./detail.ts";
import { send } from "./documents.ts";
import { prices } from "./hardware.ts";
import { costOf, offsetTime, userId } from "./records.ts";
import { type Env, readJson, refuse, type World } from "./world.ts";

const loginBody = z.object({ email: z.string(), password: z.string() });
const refreshBody = z.object({ refresh_token: z.string() });

const creditsGranted = 50;

export function addAccount(app: Hono<Env>, world: World): void {
  const { auth, ledger, now } = world;
  const openedAt = now();
  const spent = () => ledger.all().reduce((sum, execution) => sum + costOf(execution), 0);

  app.post("/auth/login", async (c) => {
    const body = loginBody.safeParse(await readJson(c));
    if (!body.success) return refuse(c, 422, detailsOf(body.error, "body"));
    const tokens = auth.login(body.data.email, body.data.password);
    return tokens ? send(c, world, "login", tokens) : refuse(c, 401, "Invalid credentials");
  });
  app.post("/auth/refresh", async (c) => {
    const body = refreshBody.safeParse(await readJson(c));
    if (!body.success) return refuse(c, 422, detailsOf(body.error, "body"));
    const tokens = auth.refresh(body.data.refresh_token);
    return tokens ? send(c, world, "login", tokens) : refuse(c, 401, "Invalid refresh token");
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
    // The real slug for runs is unknown; this slug is invented.
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
