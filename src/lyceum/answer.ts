// From a reply to an outcome: the one judgement of whose answer it is and what it means.
import type { z } from "zod";
import { parseJson, refusalDetail } from "./detail.ts";
import type { Body, Reply } from "./exchange.ts";
import type { ReadOutcome, StartOutcome } from "./outcome.ts";
import { isObject, readName, readText } from "./scalar.ts";
import { startAnswer } from "./schema.ts";

type Answer = Extract<Reply, { kind: "answer" }>;

/** An answer that cannot be read does not tell whether the start was taken, so it is `unknown`, never `refused`. */
export function toStartOutcome(reply: Reply, call: string, secrets: string[]): StartOutcome {
  if (reply.kind === "throttled") return { outcome: "throttled", retryAfterMs: reply.retryAfterMs };
  if (reply.kind === "unauthorized") return { outcome: "unauthorized", detail: `${call}: ${reply.detail}` };
  if (reply.kind === "silent") {
    return { outcome: reply.sent ? "unknown" : "unreachable", detail: `${call}: ${reply.detail}` };
  }
  const { status, retryAfterMs } = reply;
  const detail = describe(call, reply, secrets);
  const answer = json(reply.body);
  if (isSuccess(status)) {
    const read = startAnswer.safeParse(unwrap(answer));
    if (!read.success) return { outcome: "unknown", detail: `${call}: ${status} without a readable id` };
    return { outcome: "accepted", lyceumExecutionId: read.data.executionId, word: read.data.word };
  }
  if (status === 401) return { outcome: "unauthorized", detail };
  if (status === 402) return { outcome: "unfunded", detail };
  if (status === 503) return { outcome: "unavailable", retryAfterMs, detail };
  if (isRedirect(status)) return { outcome: "unreachable", detail: redirected(call, status) };
  if (status === 408 || status >= 500) return { outcome: "unknown", detail };
  if (!isError(answer)) return { outcome: "unreachable", detail: foreign(detail, reply.body) };
  if (status !== 422 && tellsUnfunded(answer)) return { outcome: "unfunded", detail };
  return { outcome: "refused", status, detail };
}

/**
 * A success is `unreachable` when it is not even JSON with fields (a page, a text, nothing): somebody else answered.
 * It is `unreadable` when it is, and lacks what is due: perhaps Lyceum in a form of tomorrow, which other calls may
 * still be able to read. Neither ever decides anything about the run.
 */
export function toReadOutcome<T>(
  reply: Reply,
  call: string,
  answer: z.ZodType<T>,
  isOurs: (value: T) => boolean = () => true,
): ReadOutcome<T> {
  if (reply.kind === "throttled") return { outcome: "throttled", retryAfterMs: reply.retryAfterMs };
  if (reply.kind === "unauthorized") return { outcome: "unauthorized", detail: `${call}: ${reply.detail}` };
  if (reply.kind === "silent") return { outcome: "unreachable", detail: `${call}: ${reply.detail}` };
  const { status, body } = reply;
  const detail = describe(call, reply, []);
  const said = json(body);
  if (isSuccess(status)) {
    if ("problem" in body && body.isTooLarge) return { outcome: "unreadable", detail, isTooLarge: true };
    if (said === undefined) return { outcome: "unreachable", detail: foreign(detail, reply.body) };
    const read = answer.safeParse(unwrap(said));
    if (read.success && isOurs(read.data)) return { outcome: "ok", value: read.data };
    if (said === null || typeof said !== "object")
      return { outcome: "unreachable", detail: foreign(detail, reply.body) };
    const why = read.success ? `${call}: ${status} about another execution` : lacking(detail, said);
    return { outcome: "unreadable", detail: why, isTooLarge: false };
  }
  if (status === 401) return { outcome: "unauthorized", detail };
  if (isRedirect(status)) return { outcome: "unreachable", detail: redirected(call, status) };
  if (status === 408 || status >= 500) return { outcome: "unreachable", detail };
  if (!isError(said)) return { outcome: "unreachable", detail: foreign(detail, reply.body) };
  if (status === 404 || status === 410) return { outcome: "missing", detail };
  return { outcome: "refused", status, detail };
}

/** Undefined for what is not JSON; null for no body at all, which is all that some endpoints may answer. */
function json(body: Body): unknown {
  if ("problem" in body) return undefined;
  return body.text.trim() === "" ? null : parseJson(body.text);
}

/** The oldest success envelope `{status, data, message}` opened [introduction, 2025]; anything else as it is. */
export function unwrap(answer: unknown): unknown {
  if (!isObject(answer) || !Object.hasOwn(answer, "data") || Object.hasOwn(answer, "execution_id"))
    return answer;
  const { status } = answer;
  const isEnvelope = typeof status === "number" ? isSuccess(status) : readName(status) === "success";
  return isEnvelope ? answer.data : answer;
}

/**
 * Lyceum's errors have a `detail`; those of the oldest introduction name their `status` beside `errors`, or a
 * `message` in the envelope. A `title` beside the `detail` is the problem document of a gateway.
 */
export function isError(answer: unknown): boolean {
  if (!isObject(answer)) return false;
  const { detail, title, status, errors, message } = answer;
  if (typeof detail === "string" ? detail.trim() !== "" : typeof detail === "object" && detail !== null)
    return title === undefined;
  if (Array.isArray(errors)) return errors.length > 0 && status !== undefined;
  return typeof message === "string" && (status === "error" || status === "fail" || status === "failed");
}

/** Lyceum says in words that credits or quota are used up: which status it takes for that is not documented. */
function tellsUnfunded(answer: unknown): boolean {
  const { detail, message, code, type } = answer as Record<string, unknown>;
  const codes = isObject(detail) ? [detail.code, detail.type] : [code, type];
  const words = [readText(detail), readText(message), ...codes.map(readName)].join(". ");
  return UNFUNDED.test(words.slice(0, MAX_WORDS).replaceAll("_", " "));
}

const MAX_WORDS = 2_000;
const UNFUNDED = new RegExp(
  [
    /\b(?:insufficient|not enough|no|zero|out of|low|lack of|exceed\w*)\b[^.;\n]{0,30}\b(?:credits?|balance|funds)\b/,
    /\b(?:insufficient|out of|exceed\w*)\b[^.;\n]{0,30}\bquotas?\b/,
    /\b(?:credits?|balance|funds|quotas?)\b[^.;\n]{0,30}\b(?:exceed\w*|exhaust\w*|used up|deplet\w*|too low|insufficient|negative|reached|r[au]n out|spent|empty)\b/,
    /\bpayment required\b/,
  ]
    .map(({ source }) => source)
    .join("|"),
  "i",
);

function describe(call: string, { status, body, secrets }: Answer, more: string[]): string {
  return `${call}: ${refusalDetail(status, body, [...secrets, ...more])}`;
}

/** An answer that broke off may well have been Lyceum's. */
function foreign(detail: string, body: Body): string {
  return "problem" in body ? detail : `${detail} (not an answer of Lyceum)`;
}

/** An error in the place of what is due is quoted. */
function lacking(detail: string, answer: object): string {
  const isSaid = "detail" in answer || "error" in answer;
  return isSaid ? detail : `${detail}: JSON without what is due`;
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
