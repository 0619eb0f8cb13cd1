// The client's types are generated from the OpenAPI document; here the generated file is compared with a new one, and the
// types with those of the service.
import { readFileSync } from "node:fs";
import { expect, expectTypeOf, test } from "vitest";
import type { z } from "zod";
import { generateTypes, TYPES_FILE } from "../../packages/client/generate-types.ts";
import type { Execution, Job, ProctorEvent, ResultRow, Run } from "../../src/client/answer.ts";
import type { LogEntry, Metrics } from "../../src/client/artifacts.ts";
import type { JobRequest } from "../../src/client/request.ts";
import type { Callback, MachineTypes, Status, Usage } from "../../src/client/service.ts";
import type { EventView } from "../../src/contract/events.ts";
import type { CallbackView } from "../../src/contract/execution.ts";
import type { ResultRow as ShownResultRow } from "../../src/contract/results.ts";
import type { StatusView } from "../../src/contract/status.ts";
import type { submission } from "../../src/contract/submission.ts";
import type { MachineTypesView, UsageView } from "../../src/contract/usage.ts";
import type { ShownLogEntry } from "../../src/domain/logs.ts";
import type { MetricsSummary } from "../../src/domain/metrics.ts";
import type { viewExecution, viewJob, viewRun } from "../../src/http/views/view.ts";

test("the committed types are those of the OpenAPI document; `npm run generate:client-types` renews them", async () => {
  expect(readFileSync(TYPES_FILE, "utf8")).toBe(await generateTypes());
});

test("what the client lets people send is what the service takes", () => {
  expectTypeOf<JobRequest>().toExtend<z.input<typeof submission>>();
  expectTypeOf<keyof JobRequest>().toEqualTypeOf<keyof z.input<typeof submission>>();
});

test("what the service answers is what the client says", () => {
  expectTypeOf<ReturnType<typeof viewJob>>().toExtend<Job>();
  expectTypeOf<keyof ReturnType<typeof viewJob>>().toEqualTypeOf<Exclude<keyof Job, "queue" | "trace_url">>();
  expectTypeOf<ReturnType<typeof viewRun>>().toExtend<Run>();
  expectTypeOf<keyof ReturnType<typeof viewRun>>().toEqualTypeOf<Exclude<keyof Run, "trace_url">>();
  expectTypeOf<ReturnType<typeof viewExecution>>().toEqualTypeOf<Execution>();
  expectTypeOf<CallbackView>().toExtend<Callback>();
  expectTypeOf<keyof CallbackView>().toEqualTypeOf<keyof Callback>();
  expectTypeOf<ShownResultRow>().toExtend<ResultRow>();
  expectTypeOf<keyof ShownResultRow>().toEqualTypeOf<keyof ResultRow>();
  expectTypeOf<EventView>().toExtend<ProctorEvent>();
  expectTypeOf<keyof EventView>().toEqualTypeOf<keyof ProctorEvent>();
  expectTypeOf<ShownLogEntry>().toExtend<LogEntry>();
  expectTypeOf<keyof ShownLogEntry>().toEqualTypeOf<keyof LogEntry>();
  expectTypeOf<MetricsSummary>().toExtend<Metrics["summary"]>();
  expectTypeOf<UsageView>().toExtend<Usage>();
  expectTypeOf<keyof UsageView>().toEqualTypeOf<keyof Usage>();
  expectTypeOf<MachineTypesView>().toExtend<MachineTypes>();
  expectTypeOf<keyof MachineTypesView>().toEqualTypeOf<keyof MachineTypes>();
  expectTypeOf<StatusView>().toExtend<Status>();
});
