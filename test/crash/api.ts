// The service's API as its callers use it, and the parts of its answers that are looked at here.

export interface JobView {
  id: string;
  name: string;
  status: string;
  counts: Record<string, number>;
  on_lost: "fail" | "retry";
  retry: { max_attempts: number; on: string[] };
  cancellation: { mode: string; cause: string } | null;
  ended_at: string | null;
}

export interface ExecutionView {
  id: string;
  run_id: string;
  attempt: number;
  status: string;
  lyceum_execution_id: string | null;
  submitted_at: string;
  error: string | null;
  detected_by: "callback" | "poll" | null;
}

export interface RunView {
  id: string;
  job_id: string;
  status: string;
  attempts: number;
  error: { code: string; detail: string } | null;
  cancellation: { mode: string; cause: string } | null;
  executions: ExecutionView[];
}

export interface StatusView {
  queue: { depth: number; live: number; collecting: number; in_doubt: number; without_wakeup: number };
  /** Acknowledged and not filed. */
  callbacks: { in_inbox: number };
}

export interface Answer<T> {
  status: number;
  replayed: boolean;
  body: T;
}

export type Api = ReturnType<typeof createApi>;

export function createApi(url: string, apiKey: string) {
  /** Throws when there is no complete answer. */
  async function call<T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> {
    const answer = await fetch(url + path, {
      method,
      headers: { Authorization: `Bearer ${apiKey}`, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(15_000),
    });
    const text = await answer.text();
    return {
      status: answer.status,
      replayed: answer.headers.get("Idempotency-Replayed") === "true",
      body: JSON.parse(text) as T,
    };
  }

  async function get<T>(path: string): Promise<T> {
    const { status, body } = await call<T>("GET", path);
    if (status !== 200) throw new Error(`GET ${path} answered ${status}: ${JSON.stringify(body)}`);
    return body;
  }

  return {
    call,
    get,
    submit: (key: string, job: unknown) => call<JobView>("POST", "/v1/jobs", job, { "Idempotency-Key": key }),
    /** All pages of a list. */
    async list<T>(path: string): Promise<T[]> {
      const all: T[] = [];
      let cursor: string | null = null;
      do {
        const next: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
        const page: { data: T[]; next_cursor: string | null } = await get(`${path}?limit=1000${next}`);
        all.push(...page.data);
        cursor = page.next_cursor;
      } while (cursor !== null);
      return all;
    },
  };
}
