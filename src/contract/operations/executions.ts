// Operations on executions, and the callback that Lyceum sends.
import { z } from "zod";
import { callback, executionAlone } from "../execution.ts";
import { pageOf, shortPages } from "../field.ts";
import { json, type Operation } from "../operation.ts";
import { inboxQuery, page } from "../query.ts";

export const getExecution = {
  id: "getExecution",
  tag: "Executions",
  summary: "Read an execution",
  answers: { 200: json(executionAlone, "The execution.") },
} satisfies Operation;

export const listCallbacks = {
  id: "listCallbacks",
  tag: "Executions",
  summary: "List the callbacks received for an execution",
  query: page,
  answers: { 200: json(pageOf(callback), "A page of callbacks, oldest first.") },
} satisfies Operation;

export const listInbox = {
  id: "listInbox",
  tag: "Executions",
  summary: "List the callbacks of all executions, newest first",
  description: `Submitters see those for their own jobs, readers and administrators all. Callbacks with a wrong token or at an unknown path are not kept; \`GET /v1/status\` counts them. ${shortPages}`,
  query: inboxQuery,
  answers: { 200: json(pageOf(callback), "A page of callbacks.") },
} satisfies Operation;

const anything = {
  content: {
    "*/*": z
      .unknown()
      .describe("Stored as received, up to 256 KiB; the rest is cut off. The content is never trusted."),
  },
  isOptional: true,
};

export const receiveCallback = {
  id: "receiveCallback",
  tag: "Executions",
  isInternal: true,
  summary: "An execution may have ended",
  description:
    "For Lyceum. The token in the path is the only guard; it opens one execution and nothing else. A callback is a hint: the execution is looked at now, and only Lyceum's own API decides. Any content type and any body are taken.",
  body: anything,
  answers: { 204: { description: "The callback is durable." } },
} satisfies Operation;

export const refuseCallback = {
  id: "refuseCallback",
  tag: "Executions",
  isInternal: true,
  summary: "A callback without a token",
  description: "Refused as one with a wrong token.",
  answers: {},
} satisfies Operation;
