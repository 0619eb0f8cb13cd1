// Only an id and a status are required of Lyceum's answers; extra fields and odd spellings pass.
import { z } from "zod";
import type { EndingAnswer, MachineType } from "./answer.ts";
import { isObject, readName, readNumber, readText, readUrl } from "./lenient-values.ts";
import { logsAnswer, metricsAnswer, timingAnswer } from "./schema-documents.ts";
import {
  gpuSelectionAnswer,
  historyAnswer,
  recordAnswer,
  statusAnswer,
  workloadsAnswer,
} from "./schema-executions.ts";
import { by, field, holdsError, id, listOf, name } from "./schema-parts.ts";

/** [api-reference/streaming-execution/start-streaming-execution]; a start without an id cannot be read. */
const startAnswer = z.looseObject({ execution_id: id }).transform((answer) => ({
  executionId: answer.execution_id,
  word: readName(answer.status) ?? "pending",
  streamingUrl: readUrl(answer.streaming_url),
}));

/** Abort, stop and delete: an object, or no body at all. */
const endingAnswer = z.unknown().transform((answer, context): EndingAnswer => {
  const status = field(answer, "status");
  const word = typeof status === "string" ? readName(status) : null;
  const message = readText(field(answer, "message"));
  const isEnding =
    answer === null || (isObject(answer) && (!holdsError(answer) || word !== null || message !== null));
  if (!isEnding) context.addIssue("an ending was due");
  return { word, message };
});

/** `GET /machine-types`: an object holding `machine_types`. */
const machineTypesAnswer = listOf(
  by(
    z.looseObject({ hardware_profile: name }).transform(
      (type): MachineType => ({
        hardwareProfile: type.hardware_profile,
        pricePerHour: readNumber(type.price_per_hour),
      }),
    ),
  ),
);

/** `GET /user/quotas/available-hardware`: names, or objects with a name as another endpoint has them. */
const availableHardwareAnswer = listOf((item) => {
  const name = readName(field(item, "hardware_profile") ?? item);
  return name === null ? [] : [name];
});

/** `POST /auth/login` and `/auth/refresh`; `expires_in` in the oldest edition only [introduction]. */
const sessionAnswer = z.looseObject({ access_token: name }).transform((answer) => ({
  access: answer.access_token,
  refresh: readName(answer.refresh_token),
  expiresInS: readNumber(answer.expires_in),
}));

/** The expected answer of each call, by name: no schema can be sent to the thread that reads large bodies. */
export const answers = {
  start: startAnswer,
  status: statusAnswer,
  gpuSelection: gpuSelectionAnswer,
  record: recordAnswer,
  workloads: workloadsAnswer,
  history: historyAnswer,
  timing: timingAnswer,
  metrics: metricsAnswer,
  logs: logsAnswer,
  ending: endingAnswer,
  machineTypes: machineTypesAnswer,
  availableHardware: availableHardwareAnswer,
  session: sessionAnswer,
};

export type AnswerName = keyof typeof answers;
export type AnswerOf<N extends AnswerName> = z.output<(typeof answers)[N]>;

/** The most JSON values of an answer; `MAX_VALUES` for all others, errors included. */
const maxValues: Partial<Record<AnswerName, number>> = {
  workloads: 1_000_000,
  history: 300_000,
  // Twelve series, a sample each 5 s for the ten minutes that a run may take, would be 5,000.
  metrics: 300_000,
  // 10,000 entries are requested.
  logs: 300_000,
};

const MAX_VALUES = 100_000;

export function maxValuesOf(name: AnswerName | null): number {
  return (name === null ? undefined : maxValues[name]) ?? MAX_VALUES;
}
