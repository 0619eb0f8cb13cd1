// `npm run screenshots`: no test, and so of no other run's business.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { include: ["test/dashboard/screenshots.shot.ts"], testTimeout: 300_000, hookTimeout: 60_000 },
});
