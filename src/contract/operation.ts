// What is published of a route: the document is made of these, and a route cannot be written without one.
import type { z } from "zod";
import type { ProblemKind } from "./problem.ts";

/** The chapters of the reference, in their order. */
export const tags = {
  Jobs: "What a queue worker submits: one or more runs that belong together.",
  Runs: "One piece of work that is taken to an end at Lyceum, over one or more executions, and what it left.",
  Executions: "One invocation at Lyceum on behalf of a run, and the callbacks that came for it.",
  Events: "Immutable, numbered facts about jobs, runs and executions.",
  Webhooks: "Being told of events by signed requests as of Standard Webhooks.",
  Usage: "What was spent, and what hardware costs.",
  Operations: "For operators and their machines.",
  Callbacks: "What Lyceum calls; of no use to anybody else.",
} as const;

export interface Answer {
  description: string;
  /** By media type; an answer without has no body. */
  content?: Record<string, z.ZodType>;
  /** What is in the headers of note. */
  headers?: Record<string, string>;
}

export interface Body {
  /** By media type. */
  content: Record<string, z.ZodType>;
  /** An empty body is as good as `{}`. */
  isOptional?: boolean;
  examples?: Record<string, unknown>;
}

export interface Operation {
  id: string;
  tag: keyof typeof tags;
  summary: string;
  description?: string;
  /** Parameters of the query; without them a route that asks for a key refuses any. */
  query?: z.ZodObject;
  headers?: z.ZodObject;
  body?: Body;
  answers: Record<number, Answer>;
  /** Beyond those that follow from who may call, the path, the query and the body. */
  problems?: readonly ProblemKind[];
}

/** A JSON answer. */
export function json(schema: z.ZodType, description: string, headers?: Record<string, string>): Answer {
  return {
    description,
    content: { "application/json": schema },
    ...(headers === undefined ? {} : { headers }),
  };
}

/** A JSON body. */
export function jsonBodyOf(schema: z.ZodType, examples: Record<string, unknown>): Body {
  return { content: { "application/json": schema }, examples };
}
