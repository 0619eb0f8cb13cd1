// The service without log and metrics, to measure their cost.
import { createApp } from "../../src/app.ts";
import { configOrExit } from "../../src/main.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";

const metrics = createMetrics({ process: false });
for (const metric of Object.values(metrics)) {
  if ("inc" in metric) metric.inc = () => {};
  if ("observe" in metric) metric.observe = () => {};
}
const app = createApp(configOrExit().config, { log: createLogger("silent"), metrics });
await app.start();
process.once("SIGTERM", () => void app.stop().then(() => process.exit(0)));
