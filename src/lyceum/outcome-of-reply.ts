// Decides what a reply means: is it Lyceum's own answer, and which outcome follows?
import { readBody } from "./body-parser.ts";
import { errorDetail } from "./error-detail.ts";
import type { Body, Reply } from "./http-exchange.ts";
import type { ReadOutcome, StartOutcome } from "./outcome.ts";
import { type ParsedReply, unreadReply } from "./read-reply.ts";
import type { AnswerName, AnswerOf } from "./schema.ts";

type Answer = Extract<Reply, { type: "answer" }>;

/** An unreadable answer does not tell if the start was accepted, so the outcome is `unknown`, never `refused`. */
export async function toStartOutcome(reply: Reply, call: string, secrets: string[]): Promise<StartOutcome> {
  if (reply.type === "throttled") {
    const { retryAfterMs, isDeferred } = reply;
    return { type: "throttled", retryAfterMs, ...(isDeferred ? { isSent: false } : {}) };
  }
  if (reply.type === "unauthorized") return { type: "unauthorized", detail: `${call}: ${reply.detail}` };
  if (reply.type === "silent") {
    if (reply.isStale) return { type: "stale", detail: `${call}: ${reply.detail}` };
    const detail = `${call}: ${reply.detail}`;
    return reply.sent ? { type: "unknown", detail } : { type: "unreachable", detail, isSent: false };
  }
  const { status, retryAfterMs } = reply;
  const parsed = await read(reply, "start");
  const detail = describe(call, reply, parsed, secrets);
  if (isSuccess(status)) {
    if (parsed.answer === null) return { type: "unknown", detail: `${detail} (no usable id)` };
    const { executionId, word, streamingUrl } = parsed.answer.value as AnswerOf<"start">;
    const stream = streamingUrl === null ? {} : { streamingUrl };
    return { type: "accepted", lyceumExecutionId: executionId, word, ...stream };
  }
  if (status === 401) return { type: "unauthorized", detail };
  if (status === 402) return { type: "unfunded", detail };
  if (status === 503) return { type: "unavailable", retryAfterMs, detail };
  if (isRedirect(status)) return { type: "unreachable", detail: redirected(call, status) };
  if (status === 408 || status >= 500) return { type: "unknown", detail };
  if (!parsed.isError) return { type: "unreachable", detail: notLyceums(detail, reply.body) };
  // The validation errors of a 422 may mention quotas.
  if (parsed.isUnfunded && status !== 422) return { type: "unfunded", detail };
  return { type: "refused", status, detail };
}

/**
 * `unreachable`: no JSON, so another server answered. `unreadable`: JSON without the required fields, perhaps a future
 * form of Lyceum that other calls can read. Neither decides anything about the run.
 */
export async function toReadOutcome<N extends AnswerName>(
  reply: Reply,
  call: string,
  name: N,
  {
    isOurs = () => true,
    secrets = [],
  }: { isOurs?: (answer: AnswerOf<N>) => boolean; secrets?: string[] } = {},
): Promise<ReadOutcome<AnswerOf<N>>> {
  if (reply.type === "throttled") return { type: "throttled", retryAfterMs: reply.retryAfterMs };
  if (reply.type === "unauthorized") return { type: "unauthorized", detail: `${call}: ${reply.detail}` };
  if (reply.type === "silent") return { type: "unreachable", detail: `${call}: ${reply.detail}` };
  const { status, body } = reply;
  const parsed = await read(reply, name);
  const detail = describe(call, reply, parsed, secrets);
  if (isSuccess(status)) {
    if (parsed.isTooLarge) return { type: "unreadable", detail, isTooLarge: true };
    if (parsed.answer === null && !parsed.isJson)
      return { type: "unreachable", detail: notLyceums(detail, body) };
    if (parsed.answer === null) {
      const why = parsed.message === "" ? `${detail}: JSON without the required fields` : detail;
      return {
        type: "unreadable",
        detail: why,
        isTooLarge: false,
        ...(parsed.isEmpty ? { isEmpty: true } : {}),
      };
    }
    const value = parsed.answer.value as AnswerOf<N>;
    if (isOurs(value)) return { type: "ok", value };
    const foreign = `${detail}: it is about another execution`;
    return { type: "unreadable", detail: foreign, isTooLarge: false, isForeign: true };
  }
  if (status === 401) return { type: "unauthorized", detail };
  if (isRedirect(status)) return { type: "unreachable", detail: redirected(call, status) };
  if (status === 408 || status >= 500) return { type: "unreachable", detail };
  if (!parsed.isError) return { type: "unreachable", detail: notLyceums(detail, body) };
  if (status === 404 || status === 410) return { type: "missing", detail };
  return { type: "refused", status, detail };
}

async function read({ status, body }: Answer, name: AnswerName): Promise<ParsedReply> {
  if ("problem" in body) return { ...unreadReply(body.problem), isTooLarge: body.isTooLarge };
  return readBody(body.bytes, isSuccess(status) ? name : null);
}

function describe(
  call: string,
  { status, secrets }: Answer,
  { message }: ParsedReply,
  more: string[],
): string {
  return `${call}: ${errorDetail(status, message, [...secrets, ...more])}`;
}

/** An answer that was cut off may have been Lyceum's. */
function notLyceums(detail: string, body: Body): string {
  return "problem" in body ? detail : `${detail} (not an answer of Lyceum)`;
}

function redirected(call: string, status: number): string {
  return `${call}: ${status}, a redirect, which is not followed; check the base URL`;
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

function isRedirect(status: number): boolean {
  return status >= 300 && status < 400;
}
