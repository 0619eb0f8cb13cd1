// A caller of the service: one key, and a record of every answer that it got.

/** Answers are looked at field by field, and a wrong field fails the test: no type is of use there. */
export type Json = ReturnType<typeof JSON.parse>;

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** Parsed where the answer is JSON, else the text. */
  body: Json;
}

export interface Client {
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
}

/** @param answers takes down the headers and the body of each answer. */
export function client(base: () => string, key: string | null, answers: string[]): Client {
  async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    const isRaw = body === undefined || typeof body === "string" || body instanceof Uint8Array;
    const response = await fetch(base() + path, {
      method,
      headers: { ...(key === null ? {} : { Authorization: `Bearer ${key}` }), ...headers },
      body: isRaw ? (body ?? null) : JSON.stringify(body),
    });
    const text = await response.text();
    answers.push([...response.headers].join("\n"), text);
    const isJson = /^application\/(problem\+)?json/.test(response.headers.get("Content-Type") ?? "");
    const parsed: Json = isJson && text !== "" ? JSON.parse(text) : text;
    return { status: response.status, headers: response.headers, text, body: parsed };
  }
  return {
    call,
    get: (path, headers) => call("GET", path, undefined, headers),
    post: (path, body, headers) => call("POST", path, body, headers),
  };
}
