// The entry of a route in the OpenAPI document. Every route needs one to compile.
import type { z } from "zod";
import type { ProblemKind } from "./problem.ts";

export const tags = {
  Jobs: "A job is what a worker submits: one or more runs with one policy.",
  Runs: "A run is one piece of work. It ends once and has artifacts.",
  Executions: "An execution is one attempt to perform a run at Lyceum.",
  Events: "Numbered, immutable entries of the log of jobs, runs and executions.",
  Webhooks: "Subscriptions to events, delivered by requests signed per Standard Webhooks.",
  Usage: "Spending, hardware and prices.",
  Operations: "Health, status and metrics for operators.",
} as const;

export interface Answer {
  description: string;
  /** By media type; undefined without a body. */
  content?: Record<string, z.ZodType>;
  headers?: Record<string, string>;
}

export interface Body {
  content: Record<string, z.ZodType>;
  /** An empty body counts as `{}`. */
  isOptional?: boolean;
  /** The body needs more than its schema. */
  isReadByHandler?: true;
  examples?: Record<string, unknown>;
}

export interface Operation {
  id: string;
  tag: keyof typeof tags;
  summary: string;
  description?: string;
  /** Query parameters. Without this schema, a route that requires a key refuses every parameter. */
  query?: z.ZodObject;
  headers?: z.ZodObject;
  body?: Body;
  answers: Record<number, Answer>;
  /** Not in the public document: callers of the API do not need the route. */
  isInternal?: true;
  /** Problems beyond those that follow from access, path, query and body. */
  problems?: readonly ProblemKind[];
}

export function json(schema: z.ZodType, description: string, headers?: Record<string, string>): Answer {
  return {
    description,
    content: { "application/json": schema },
    ...(headers === undefined ? {} : { headers }),
  };
}

export function jsonBodyOf<S extends z.ZodType>(schema: S, examples: Record<string, unknown>) {
  return { content: { "application/json": schema }, examples } satisfies Body;
}
