// From a reply to an outcome: the one judgement of whose answer it is and what it means.
import { readBody } from "./body-parser.ts";
import { refusalDetail } from "./error-detail.ts";
import type { Body, Reply } from "./http-exchange.ts";
import type { ReadOutcome, StartOutcome } from "./outcome.ts";
import { type Said, unsaid } from "./read-reply.ts";
import type { AnswerName, Reading } from "./schema.ts";

type Answer = Extract<Reply, { kind: "answer" }>;

/** An answer that cannot be read does not tell whether the start was taken, so it is `unknown`, never `refused`. */
export async function toStartOutcome(reply: Reply, call: string, secrets: string[]): Promise<StartOutcome> {
  if (reply.kind === "throttled") {
    const { retryAfterMs, isHeld } = reply;
    return { type: "throttled", retryAfterMs, ...(isHeld ? { isSent: false } : {}) };
  }
  if (reply.kind === "unauthorized") return { type: "unauthorized", detail: `${call}: ${reply.detail}` };
  if (reply.kind === "silent") {
    if (reply.isStale) return { type: "stale", detail: `${call}: ${reply.detail}` };
    const detail = `${call}: ${reply.detail}`;
    return reply.sent ? { type: "unknown", detail } : { type: "unreachable", detail, isSent: false };
  }
  const { status, retryAfterMs } = reply;
  const said = await read(reply, "start");
  const detail = describe(call, reply, said, secrets);
  if (isSuccess(status)) {
    if (said.reading === null) return { type: "unknown", detail: `${detail} (no usable id)` };
    const { executionId, word } = said.reading.value as Reading<"start">;
    return { type: "accepted", lyceumExecutionId: executionId, word };
  }
  if (status === 401) return { type: "unauthorized", detail };
  if (status === 402) return { type: "unfunded", detail };
  if (status === 503) return { type: "unavailable", retryAfterMs, detail };
  if (isRedirect(status)) return { type: "unreachable", detail: redirected(call, status) };
  if (status === 408 || status >= 500) return { type: "unknown", detail };
  if (!said.isError) return { type: "unreachable", detail: notLyceums(detail, reply.body) };
  // A list of what is wrong with the body may well speak of quotas.
  if (said.isUnfunded && status !== 422) return { type: "unfunded", detail };
  return { type: "refused", status, detail };
}

/**
 * A success is `unreachable` when it is not even JSON (a page, a text): somebody else answered. It is
 * `unreadable` when it is an object or a list that lacks what is due: perhaps Lyceum in a form of tomorrow, which other calls may
 * still be able to read. Neither ever decides anything about the run.
 */
export async function toReadOutcome<N extends AnswerName>(
  reply: Reply,
  call: string,
  name: N,
  {
    isOurs = () => true,
    secrets = [],
  }: { isOurs?: (reading: Reading<N>) => boolean; secrets?: string[] } = {},
): Promise<ReadOutcome<Reading<N>>> {
  if (reply.kind === "throttled") return { type: "throttled", retryAfterMs: reply.retryAfterMs };
  if (reply.kind === "unauthorized") return { type: "unauthorized", detail: `${call}: ${reply.detail}` };
  if (reply.kind === "silent") return { type: "unreachable", detail: `${call}: ${reply.detail}` };
  const { status, body } = reply;
  const said = await read(reply, name);
  const detail = describe(call, reply, said, secrets);
  if (isSuccess(status)) {
    if (said.isTooLarge) return { type: "unreadable", detail, isTooLarge: true };
    if (said.reading === null && !said.isJson)
      return { type: "unreachable", detail: notLyceums(detail, body) };
    if (said.reading === null) {
      const why = said.words === "" ? `${detail}: JSON without what is due` : detail;
      return {
        type: "unreadable",
        detail: why,
        isTooLarge: false,
        ...(said.isEmpty ? { isEmpty: true } : {}),
      };
    }
    const value = said.reading.value as Reading<N>;
    if (isOurs(value)) return { type: "ok", value };
    const foreign = `${detail}: it is about another execution`;
    return { type: "unreadable", detail: foreign, isTooLarge: false, isForeign: true };
  }
  if (status === 401) return { type: "unauthorized", detail };
  if (isRedirect(status)) return { type: "unreachable", detail: redirected(call, status) };
  if (status === 408 || status >= 500) return { type: "unreachable", detail };
  if (!said.isError) return { type: "unreachable", detail: notLyceums(detail, body) };
  if (status === 404 || status === 410) return { type: "missing", detail };
  return { type: "refused", status, detail };
}

async function read({ status, body }: Answer, name: AnswerName): Promise<Said> {
  if ("problem" in body) return { ...unsaid(body.problem), isTooLarge: body.isTooLarge };
  return readBody(body.bytes, isSuccess(status) ? name : null);
}

function describe(call: string, { status, secrets }: Answer, { words }: Said, more: string[]): string {
  return `${call}: ${refusalDetail(status, words, [...secrets, ...more])}`;
}

/** An answer that broke off may well have been Lyceum's. */
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
