// One request, repeated while that is safe and may help: on no answer, 429 and 5xx, with growing, jittered pauses.
import { endpointOf } from "./endpoint.ts";
import { errorOf, ProctorError } from "./error.ts";
import { pause } from "./pause.ts";

export interface RetryOptions {
  /** Attempts in all, the first one included. */
  attempts?: number;
  firstPauseMs?: number;
  longestPauseMs?: number;
}

export interface TransportOptions {
  /** The service's URL, like `https://proctor.example.com`; `PROCTOR_URL` of the environment by default. */
  url?: string | undefined;
  /** `PROCTOR_API_KEY` of the environment by default; null in Proctor's own page, where a cookie takes its place. */
  apiKey?: string | null | undefined;
  fetch?: typeof globalThis.fetch;
  retry?: RetryOptions;
  /** How long an answer may take, a wait it was asked for not counted; 30 s. */
  answerWithinMs?: number;
}

export interface Call {
  method?: "GET" | "POST" | "DELETE";
  path: string;
  query?: Record<string, string | number | boolean | undefined> | undefined;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
  /** False where the service would carry it out twice. */
  repeatable?: boolean;
  /** What the answer may take longer. */
  waitMs?: number;
}

export type Transport = ReturnType<typeof createTransport>;

export function createTransport(options: TransportOptions) {
  const { answerWithinMs = 30_000 } = options;
  const { base, apiKey } = endpointOf(options);
  const { attempts: most = 5, firstPauseMs = 300, longestPauseMs = 10_000 } = options.retry ?? {};
  const send = options.fetch ?? ((...args: Parameters<typeof fetch>) => globalThis.fetch(...args));

  /** What `read` makes of a 2xx answer. @throws ProctorError, or the signal's reason */
  async function request<T>(call: Call, read: (response: Response) => Promise<T>): Promise<T> {
    // Made into text once: a repetition must be the same to the byte.
    const body = call.body === undefined ? null : JSON.stringify(call.body);
    for (let attempt = 1; ; attempt++) {
      const outcome = await tryOnce(call, body, attempt, read);
      if (!(outcome instanceof ProctorError)) return outcome;
      const mayRepeat = (call.repeatable ?? true) && outcome.isTransient && attempt < most;
      if (!mayRepeat) throw outcome;
      await pause(pauseMs(attempt, outcome.retryAfterMs), call.signal);
    }
  }

  async function tryOnce<T>(
    call: Call,
    body: string | null,
    attempt: number,
    read: (response: Response) => Promise<T>,
  ): Promise<T | ProctorError> {
    call.signal?.throwIfAborted();
    const overdue = new AbortController();
    const timer = setTimeout(() => overdue.abort(), answerWithinMs + (call.waitMs ?? 0));
    const signal =
      call.signal === undefined ? overdue.signal : AbortSignal.any([call.signal, overdue.signal]);
    try {
      const response = await send(base + pathOf(call), {
        method: call.method ?? "GET",
        headers: {
          ...(apiKey === null ? {} : { Authorization: `Bearer ${apiKey}` }),
          Accept: "application/json",
          ...(body === null ? {} : { "Content-Type": "application/json" }),
          ...call.headers,
        },
        body,
        signal,
      });
      return response.ok ? await read(response) : await errorOf(response, attempt);
    } catch (cause) {
      call.signal?.throwIfAborted();
      if (cause instanceof SyntaxError)
        return new ProctorError({
          code: "unreadable",
          message: `${base} answers no JSON`,
          attempts: attempt,
          cause,
        });
      const message = `${base} does not answer: ${overdue.signal.aborted ? "it takes too long" : reasonOf(cause)}`;
      return new ProctorError({ code: "unreachable", message, attempts: attempt, cause });
    } finally {
      clearTimeout(timer);
    }
  }

  /** At least what the service asks for, never more than the longest: half of it is left to chance. */
  function pauseMs(attempt: number, askedMs: number | null): number {
    const grownMs = Math.min(firstPauseMs * 2 ** (attempt - 1), longestPauseMs);
    return Math.max(Math.min(askedMs ?? 0, MAX_ASKED_MS), grownMs * (0.5 + Math.random() / 2));
  }

  return {
    request,
    json: <T>(call: Call): Promise<T> => request(call, (response) => response.json() as Promise<T>),
    text: (call: Call): Promise<string> => request(call, (response) => response.text()),
    none: (call: Call): Promise<void> => request(call, (response) => response.text().then(() => undefined)),
    pauseMs,
  };
}

const MAX_ASKED_MS = 60_000;

function pathOf({ path, query = {} }: Call): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return given.length === 0 ? path : `${path}?${given.join("&")}`;
}

/** `fetch` hides the reason behind "fetch failed". */
function reasonOf(error: unknown): string {
  const { cause, message } = error as { cause?: { code?: string; message?: string }; message?: string };
  return cause?.code ?? cause?.message ?? message ?? String(error);
}
