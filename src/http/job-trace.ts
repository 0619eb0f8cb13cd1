// The trace of a job: the caller's, a new one, or none.
import { randomBytes } from "node:crypto";
import { formatTraceparent, parseTraceparent, type Traceparent } from "../lib/traceparent.ts";
import type { AppContext } from "./request-context.ts";

export interface JobTrace {
  /** Null: no trace. */
  traceparent: string | null;
  /** Set if traces are recorded. */
  own: { trace: Traceparent; parent: Traceparent | null } | null;
}

/** @param header of the submission. Without traces of our own it is kept as it came. */
export function traceForJob({ traces }: AppContext, header: string | undefined): JobTrace {
  const parent = parseTraceparent(header);
  if (!traces.isOn) return { traceparent: parent && formatTraceparent(parent), own: null };
  const trace = {
    traceId: parent?.traceId ?? randomBytes(16).toString("hex"),
    spanId: randomBytes(8).toString("hex"),
    isSampled: parent?.isSampled ?? true,
  };
  return { traceparent: formatTraceparent(trace), own: { trace, parent } };
}

/** Null without OTEL_TRACE_URL or without a trace. */
export function traceUrlOf({ traces }: AppContext, traceparent: string | null): string | null {
  const trace = parseTraceparent(traceparent);
  return traces.url === null || trace === null ? null : traces.url.replaceAll("{trace_id}", trace.traceId);
}
