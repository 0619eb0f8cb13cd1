// The client writes down for itself what the service takes and answers, so that it ships alone. Here the two are
// compared: the compiler refuses this file when they drift apart.
import { expectTypeOf, test } from "vitest";
import type { z } from "zod";
import type { Execution, Job, ProctorEvent, ResultRow, Run } from "../../src/client/answer.ts";
import type { LogEntry, Metrics } from "../../src/client/artifacts.ts";
import type { JobRequest } from "../../src/client/request.ts";
import type { Callback } from "../../src/client/service.ts";
import type { EventView } from "../../src/contract/events.ts";
import type { CallbackView } from "../../src/contract/execution.ts";
import type { ResultRow as ShownResultRow } from "../../src/contract/results.ts";
import type { submission } from "../../src/contract/submission.ts";
import type { ShownLogEntry } from "../../src/domain/logs.ts";
import type { MetricsSummary } from "../../src/domain/metrics.ts";
import type { viewExecution, viewJob, viewRun } from "../../src/http/views/view.ts";

test("what the client lets people send is what the service takes", () => {
  expectTypeOf<JobRequest>().toExtend<z.input<typeof submission>>();
  expectTypeOf<keyof JobRequest>().toEqualTypeOf<keyof z.input<typeof submission>>();
});

test("what the service answers is what the client says", () => {
  expectTypeOf<ReturnType<typeof viewJob>>().toExtend<Job>();
  expectTypeOf<keyof ReturnType<typeof viewJob>>().toEqualTypeOf<Exclude<keyof Job, "queue">>();
  expectTypeOf<ReturnType<typeof viewRun>>().toExtend<Run>();
  expectTypeOf<keyof ReturnType<typeof viewRun>>().toEqualTypeOf<keyof Run>();
  expectTypeOf<ReturnType<typeof viewExecution>>().toEqualTypeOf<Execution>();
  expectTypeOf<keyof CallbackView>().toEqualTypeOf<keyof Callback>();
  expectTypeOf<ShownResultRow>().toEqualTypeOf<ResultRow>();
  expectTypeOf<EventView>().toEqualTypeOf<ProctorEvent>();
  expectTypeOf<ShownLogEntry>().toEqualTypeOf<LogEntry>();
  expectTypeOf<MetricsSummary>().toExtend<Metrics["summary"]>();
});
