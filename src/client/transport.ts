// Sends a request, and repeats it while that is safe and may help: without an answer, on 429 and 5xx, with backoff.
import { endpointOf } from "./endpoint.ts";
import { errorOf, ProctorError } from "./error.ts";
import { pause } from "./pause.ts";

export interface RetryOptions {
  /** Number of attempts, including the first. */
  attempts?: number;
  firstPauseMs?: number;
  maxPauseMs?: number;
}

export interface TransportOptions {
  /** The service's URL, like `https://proctor.example.com`; `PROCTOR_URL` of the environment by default. */
  url?: string | undefined;
  /** `PROCTOR_API_KEY` of the environment by default; null in Proctor's own page, where a cookie takes its place. */
  apiKey?: string | null | undefined;
  fetch?: typeof globalThis.fetch;
  retry?: RetryOptions;
  /** Limit for an answer, in addition to a requested wait; default 30 s. */
  timeoutMs?: number;
}

export interface Call {
  method?: "GET" | "POST" | "DELETE";
  path: string;
  query?: Record<string, string | number | boolean | readonly string[] | undefined> | undefined;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
  /** False if a repetition would be executed twice. */
  repeatable?: boolean;
  /** Additional time for the answer. */
  waitMs?: number;
}

export type Transport = ReturnType<typeof createTransport>;

export function createTransport(options: TransportOptions) {
  const { timeoutMs = 30_000 } = options;
  const { base, apiKey } = endpointOf(options);
  const { attempts: maxAttempts = 5, firstPauseMs = 300, maxPauseMs = 10_000 } = options.retry ?? {};
  const send = options.fetch ?? ((...args: Parameters<typeof fetch>) => globalThis.fetch(...args));

  /** @throws ProctorError, or the signal's reason */
  async function request<T>(call: Call, read: (response: Response) => Promise<T>): Promise<T> {
    // Serialize once: a repetition must be identical to the byte.
    const body = call.body === undefined ? null : JSON.stringify(call.body);
    for (let attempt = 1; ; attempt++) {
      const outcome = await tryOnce(call, body, attempt, read);
      if (!(outcome instanceof ProctorError)) return outcome;
      const mayRepeat = (call.repeatable ?? true) && outcome.isTransient && attempt < maxAttempts;
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
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(), timeoutMs + (call.waitMs ?? 0));
    const signal =
      call.signal === undefined ? timeout.signal : AbortSignal.any([call.signal, timeout.signal]);
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
          message: `${base} answered without JSON`,
          attempts: attempt,
          cause,
        });
      const message = `${base} does not answer: ${timeout.signal.aborted ? "timeout" : reasonOf(cause)}`;
      return new ProctorError({ code: "unreachable", message, attempts: attempt, cause });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Backoff with jitter of one half; at least the Retry-After of the service. */
  function pauseMs(attempt: number, retryAfterMs: number | null): number {
    const backoffMs = Math.min(firstPauseMs * 2 ** (attempt - 1), maxPauseMs);
    return Math.max(Math.min(retryAfterMs ?? 0, MAX_RETRY_AFTER_MS), backoffMs * (0.5 + Math.random() / 2));
  }

  return {
    request,
    json: <T>(call: Call): Promise<T> => request(call, (response) => response.json() as Promise<T>),
    text: (call: Call): Promise<string> => request(call, (response) => response.text()),
    none: (call: Call): Promise<void> => request(call, (response) => response.text().then(() => undefined)),
    pauseMs,
  };
}

const MAX_RETRY_AFTER_MS = 60_000;

function pathOf({ path, query = {} }: Call): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(String(value))}`],
  );
  return given.length === 0 ? path : `${path}?${given.join("&")}`;
}

/** The reason that `fetch` hides behind "fetch failed". */
function reasonOf(error: unknown): string {
  const { cause, message } = error as { cause?: { code?: string; message?: string }; message?: string };
  return cause?.code ?? cause?.message ?? message ?? String(error);
}
