// Operations on the service: usage, machine types, status, health, and the document.
import { z } from "zod";
import { json, type Operation } from "../operation.ts";
import { usageQuery } from "../query.ts";
import { apiKeys, settings, whoami } from "../settings.ts";
import { stats, statsQuery } from "../stats.ts";
import { status } from "../status.ts";
import { machineTypes, usage } from "../usage.ts";

export const getUsage = {
  id: "getUsage",
  tag: "Usage",
  summary: "Read usage by day, API key or hardware",
  description: "Submitters see only their own key. Usage remains when jobs are deleted.",
  query: usageQuery,
  answers: { 200: json(usage, "Cost and duration of ended executions.") },
} satisfies Operation;

export const getMachineTypes = {
  id: "getMachineTypes",
  tag: "Usage",
  summary: "List Lyceum's hardware and prices",
  answers: { 200: json(machineTypes, "The last list from Lyceum.") },
} satisfies Operation;

export const getStatus = {
  id: "getStatus",
  tag: "Operations",
  summary: "Read queue, limits, callback health and database size",
  answers: { 200: json(status, "The current status.") },
} satisfies Operation;

export const getStats = {
  id: "getStats",
  tag: "Operations",
  summary: "Series for charts",
  description:
    "Counted in the transactions that they tell of, over all instances and restarts; rejected callbacks and calls to Lyceum are written every 15 s.",
  query: statsQuery,
  answers: { 200: json(stats, "A point per minute or hour.") },
} satisfies Operation;

export const getWhoami = {
  id: "getWhoami",
  tag: "Operations",
  summary: "The caller's name and role",
  answers: { 200: json(whoami, "Of the API key that came with the request.") },
} satisfies Operation;

export const listKeys = {
  id: "listKeys",
  tag: "Usage",
  summary: "List API keys with budget and quota",
  description: "Submitters see only their own key.",
  answers: { 200: json(apiKeys, "The keys of the settings.") },
} satisfies Operation;

export const getSettings = {
  id: "getSettings",
  tag: "Operations",
  summary: "The settings in force",
  description: "For administrators. Secrets are hidden.",
  answers: { 200: json(settings, "Every setting, in the order of the groups.") },
} satisfies Operation;

const health = (word: string) => z.object({ status: z.literal(word) }).meta({ examples: [{ status: word }] });

export const getLive = {
  id: "getLive",
  tag: "Operations",
  summary: "Check liveness",
  answers: { 200: json(health("ok"), "The process is alive.") },
} satisfies Operation;

const ready = z
  .object({ status: z.literal("ready"), version: z.string().describe("The version that answers.") })
  .meta({ examples: [{ status: "ready", version: "0.1.0" }] });

export const getReady = {
  id: "getReady",
  tag: "Operations",
  summary: "Check readiness",
  answers: { 200: json(ready, "The database is migrated and writable.") },
  problems: ["not-accepting"],
} satisfies Operation;

export const getMetricsText = {
  id: "getMetricsText",
  tag: "Operations",
  summary: "Read Prometheus metrics",
  description: "With METRICS_PORT, metrics are served only on that port.",
  answers: { 200: { description: "The metrics.", content: { "text/plain": z.string() } } },
  problems: ["not-found"],
} satisfies Operation;

export const getDocument = {
  id: "getDocument",
  tag: "Operations",
  summary: "Read this document",
  answers: { 200: json(z.looseObject({ openapi: z.string() }), "OpenAPI 3.1.") },
} satisfies Operation;

export const getReference = {
  id: "getReference",
  tag: "Operations",
  summary: "Show this document as a page",
  answers: { 200: { description: "The page.", content: { "text/html": z.string() } } },
} satisfies Operation;

export const getReferencePart = {
  id: "getReferencePart",
  isInternal: true,
  tag: "Operations",
  summary: "Read a script or stylesheet of the page",
  answers: {
    200: { description: "The file.", content: { "text/css": z.string(), "text/javascript": z.string() } },
  },
  problems: ["not-found"],
} satisfies Operation;
