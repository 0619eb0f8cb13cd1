// Spans of jobs for an OpenTelemetry collector. A span is recorded once it is over, so a restart loses nothing. Ids of
// runs' and executions' spans derive from the rows' ids, so that every instance names the same parent.
import { hash } from "node:crypto";
import { parseTraceparent, type Traceparent } from "../lib/traceparent.ts";

export interface SpanRecord {
  name: string;
  jobId: string;
  /** Left out: a span of its own. */
  ofRow?: string | null;
  /** The parent's row; left out: the job. */
  under?: string | null;
  /** Left out: the end less `durationMs`. */
  startedAt?: number;
  endedAt?: number;
  durationMs?: number;
  isOutgoing?: boolean;
  isFailed?: boolean;
  attributes?: Record<string, string | number>;
}

export interface Traces {
  /** Spans without a sampled trace are dropped. */
  record(span: SpanRecord): void;
  recordJob(job: JobTraced): void;
}

export interface JobTraced {
  jobId: string;
  trace: Traceparent;
  parent: Traceparent | null;
  durationMs: number;
}

export interface OpenTraces extends Traces {
  close(): Promise<void>;
}

export interface TracesOptions {
  /** Spans go to `/v1/traces` below it. */
  endpoint: string;
  version: string;
  now: () => number;
  traceparentOf: (jobId: string) => Promise<string | null>;
  onError: (error: unknown) => void;
  /** Null: the export works again. */
  onExport: (error: Error | null) => void;
}

export async function openTraces(options: TracesOptions): Promise<OpenTraces> {
  const { endpoint, version, now, traceparentOf, onError, onExport } = options;
  const [{ ROOT_CONTEXT, SpanKind, SpanStatusCode, trace: api }, sdk, exporter, { resourceFromAttributes }] =
    await Promise.all([
      import("@opentelemetry/api"),
      import("@opentelemetry/sdk-trace"),
      import("@opentelemetry/exporter-trace-otlp-http"),
      import("@opentelemetry/resources"),
    ]);
  const ids = presetIds(new sdk.RandomIdGenerator());
  const otlp = new exporter.OTLPTraceExporter({
    url: `${endpoint}/v1/traces`,
    timeoutMillis: EXPORT_TIMEOUT_MS,
  });
  let isFailing = false;
  const provider = new sdk.TracerProvider({
    resource: resourceFromAttributes({ "service.name": "proctor", "service.version": version }),
    idGenerator: ids,
    sampler: new sdk.AlwaysOnSampler(),
    spanProcessors: [
      new sdk.BatchSpanProcessor({
        exporter: {
          export: (spans, done) =>
            otlp.export(spans, (result) => {
              const hasFailed = result.code !== 0;
              if (hasFailed !== isFailing)
                onExport(hasFailed ? (result.error ?? new Error("no reason")) : null);
              isFailing = hasFailed;
              done(result);
            }),
          shutdown: () => otlp.shutdown(),
          forceFlush: () => otlp.forceFlush(),
        },
        maxQueueSize: MAX_KEPT_SPANS,
        scheduledDelayMillis: EXPORT_EVERY_MS,
      }),
    ],
  });
  const tracer = provider.getTracer("proctor", version);
  const known = new Map<string, Promise<Traceparent | null>>();

  function traceOf(jobId: string): Promise<Traceparent | null> {
    const found = known.get(jobId);
    if (found !== undefined) return found;
    const reading = traceparentOf(jobId).then(parseTraceparent);
    remember(jobId, reading);
    reading.catch(() => known.delete(jobId));
    return reading;
  }

  function remember(jobId: string, trace: Promise<Traceparent | null>): void {
    if (known.size >= MAX_KNOWN_TRACES) known.clear();
    known.set(jobId, trace);
  }

  function emit(trace: Traceparent, parentId: string | null, spanId: string | null, span: SpanRecord): void {
    if (!trace.isSampled) return;
    const { name, jobId, endedAt = now(), durationMs = 0, isOutgoing = false, isFailed = false } = span;
    const { startedAt = endedAt - durationMs } = span;
    ids.next = { traceId: trace.traceId, spanId };
    const context =
      parentId === null
        ? ROOT_CONTEXT
        : api.setSpanContext(ROOT_CONTEXT, { traceId: trace.traceId, spanId: parentId, traceFlags: 1 });
    const started = tracer.startSpan(
      name,
      {
        kind: isOutgoing ? SpanKind.CLIENT : SpanKind.INTERNAL,
        startTime: new Date(startedAt),
        attributes: { "proctor.job_id": jobId, ...span.attributes },
      },
      context,
    );
    if (isFailed) started.setStatus({ code: SpanStatusCode.ERROR });
    started.end(new Date(endedAt));
  }

  return {
    record(span) {
      const recorded = { ...span, endedAt: span.endedAt ?? now() };
      traceOf(span.jobId)
        .then((trace) => {
          if (trace === null) return;
          const parentId = span.under == null ? trace.spanId : spanIdOf(span.under);
          emit(trace, parentId, span.ofRow == null ? null : spanIdOf(span.ofRow), recorded);
        })
        .catch(onError);
    },
    recordJob({ jobId, trace, parent, durationMs }) {
      remember(jobId, Promise.resolve(trace));
      emit(trace, parent?.spanId ?? null, trace.spanId, { name: "job submitted", jobId, durationMs });
    },
    close: () => provider.shutdown(),
  };
}

const MAX_KEPT_SPANS = 4_096;
const MAX_KNOWN_TRACES = 10_000;
const EXPORT_EVERY_MS = 2_000;
const EXPORT_TIMEOUT_MS = 10_000;

function spanIdOf(rowId: string): string {
  return hash("sha256", rowId, "hex").slice(0, 16);
}

interface Ids {
  generateTraceId(): string;
  generateSpanId(): string;
}

/** Gives the next span the ids that it must have; others are random. */
function presetIds(random: Ids): Ids & { next: { traceId: string; spanId: string | null } | null } {
  return {
    next: null,
    generateTraceId() {
      return this.next?.traceId ?? random.generateTraceId();
    },
    generateSpanId() {
      return this.next?.spanId ?? random.generateSpanId();
    },
  };
}
