// From a reply to an outcome: which answer means what, for a start and for everything else.
import type { z } from "zod";
import { parseJson, refusalDetail } from "./detail.ts";
import type { Body, Reply } from "./exchange.ts";
import type { ReadOutcome, StartOutcome } from "./outcome.ts";
import { startAnswer } from "./schema.ts";

type Answer = Extract<Reply, { kind: "answer" }>;

/** What cannot be read says nothing about whether the run was taken, so it is `unknown`, never `refused`. */
export function toStartOutcome(reply: Reply, call: string, secrets: string[]): StartOutcome {
  if (reply.kind === "throttled") return { outcome: "throttled", retryAfterMs: reply.retryAfterMs };
  if (reply.kind === "unauthorized") return { outcome: "unauthorized", detail: `${call}: ${reply.detail}` };
  if (reply.kind === "silent") {
    return { outcome: reply.sent ? "unknown" : "unreachable", detail: `${call}: ${reply.detail}` };
  }
  const { status } = reply;
  const detail = describe(call, reply, secrets);
  if (isSuccess(status)) {
    const read = startAnswer.safeParse(json(reply.body));
    if (!read.success) return { outcome: "unknown", detail: `${call}: ${status} without a readable id` };
    return { outcome: "accepted", lyceumExecutionId: read.data.executionId, word: read.data.word };
  }
  if (status === 401) return { outcome: "unauthorized", detail };
  if (isRedirect(status)) return { outcome: "refused", status, detail: redirected(call, status) };
  if (status === 408 || status >= 500) return { outcome: "unknown", detail };
  return { outcome: "refused", status, detail };
}

export function toReadOutcome<T>(reply: Reply, call: string, answer: z.ZodType<T>): ReadOutcome<T> {
  if (reply.kind === "throttled") return { outcome: "throttled", retryAfterMs: reply.retryAfterMs };
  if (reply.kind === "unauthorized") return { outcome: "unauthorized", detail: `${call}: ${reply.detail}` };
  if (reply.kind === "silent") return { outcome: "unreachable", detail: `${call}: ${reply.detail}` };
  const { status } = reply;
  if (isSuccess(status)) {
    if ("problem" in reply.body) {
      const detail = describe(call, reply, []);
      return reply.body.isTooLarge
        ? { outcome: "unreadable", detail, isTooLarge: true }
        : { outcome: "unreachable", detail };
    }
    const said = json(reply.body);
    const read = said === undefined ? undefined : answer.safeParse(said);
    if (read?.success) return { outcome: "ok", value: read.data };
    return { outcome: "unreadable", detail: `${call}: ${status} that cannot be read`, isTooLarge: false };
  }
  const detail = describe(call, reply, []);
  if (status === 401) return { outcome: "unauthorized", detail };
  if (status === 404 || status === 410) return { outcome: "missing", detail };
  if (isRedirect(status)) return { outcome: "unreachable", detail: redirected(call, status) };
  if (status === 408 || status >= 500) return { outcome: "unreachable", detail };
  return { outcome: "refused", status, detail };
}

/** Undefined for what is not JSON; null for no body at all, which is all that some endpoints may answer. */
function json(body: Body): unknown {
  if ("problem" in body) return undefined;
  return body.text.trim() === "" ? null : parseJson(body.text);
}

function describe(call: string, { status, body, secrets }: Answer, more: string[]): string {
  return `${call}: ${refusalDetail(status, body, [...secrets, ...more])}`;
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
