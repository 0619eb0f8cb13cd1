// What is published of the routes about the service itself: spending, hardware, state, health, and this document.
import { z } from "zod";
import { json, type Operation } from "../operation.ts";
import { usageQuery } from "../query.ts";
import { settings, whoami } from "../settings.ts";
import { status } from "../status.ts";
import { machineTypes, usage } from "../usage.ts";

export const getUsage: Operation = {
  id: "getUsage",
  tag: "Usage",
  summary: "What was spent, by day or by API key",
  description: "Submitters see their own key alone. It outlives the jobs.",
  query: usageQuery,
  answers: { 200: json(usage, "Credits and time of executions that ended.") },
};

export const getMachineTypes: Operation = {
  id: "getMachineTypes",
  tag: "Usage",
  summary: "Lyceum's hardware and prices",
  answers: { 200: json(machineTypes, "As Lyceum told it last.") },
};

export const getStatus: Operation = {
  id: "getStatus",
  tag: "Operations",
  summary: "The queue, limits, callback health, database",
  answers: { 200: json(status, "As it stands.") },
};

export const getWhoami: Operation = {
  id: "getWhoami",
  tag: "Operations",
  summary: "The caller's name and role",
  answers: { 200: json(whoami, "Of the API key that came with the request.") },
};

export const getSettings: Operation = {
  id: "getSettings",
  tag: "Operations",
  summary: "The settings in force",
  description: "For administrators. Secrets are hidden.",
  answers: { 200: json(settings, "Every setting, in the order of the groups.") },
};

const health = (word: string) => z.object({ status: z.literal(word) }).meta({ examples: [{ status: word }] });

export const getLive: Operation = {
  id: "getLive",
  tag: "Operations",
  summary: "Whether the process is alive",
  answers: { 200: json(health("ok"), "It is.") },
};

const ready = z
  .object({ status: z.literal("ready"), version: z.string().describe("The version that answers.") })
  .meta({ examples: [{ status: "ready", version: "0.1.0" }] });

export const getReady: Operation = {
  id: "getReady",
  tag: "Operations",
  summary: "Whether requests should be sent here",
  answers: { 200: json(ready, "They should: the database is migrated and takes writes.") },
  problems: ["not-accepting"],
};

export const getMetricsText: Operation = {
  id: "getMetricsText",
  tag: "Operations",
  summary: "Prometheus metrics",
  description: "With METRICS_PORT they are served there and not here.",
  answers: { 200: { description: "The metrics.", content: { "text/plain": z.string() } } },
  problems: ["not-found"],
};

export const getDocument: Operation = {
  id: "getDocument",
  tag: "Operations",
  summary: "This document",
  answers: { 200: json(z.looseObject({ openapi: z.string() }), "OpenAPI 3.1.") },
};

export const getReference: Operation = {
  id: "getReference",
  tag: "Operations",
  summary: "This document as a page",
  answers: { 200: { description: "The page.", content: { "text/html": z.string() } } },
};

export const getReferencePart: Operation = {
  id: "getReferencePart",
  tag: "Operations",
  summary: "A script or stylesheet of the page",
  answers: {
    200: { description: "The file.", content: { "text/css": z.string(), "text/javascript": z.string() } },
  },
  problems: ["not-found"],
};
