// One request to the simulated Lyceum, and what may come back of it.

export type Route =
  | "start"
  | "record"
  | "status"
  | "selection"
  | "timing"
  | "metrics"
  | "logs"
  | "list"
  | "history"
  | "end"
  | "other";

export interface Call {
  method: string;
  path: string;
  route: Route;
  /** Lyceum's id of the execution that is asked about; empty where there is none. */
  id: string;
  query: URLSearchParams;
  body: Record<string, unknown> | null;
  /** Our execution id in the `file_name` of a start. */
  marker: string;
}

export interface Answer {
  status: number;
  json: unknown;
  /** Sent in place of `json`. */
  text?: string;
  headers?: Record<string, string>;
  /** Ids of executions that a list shows alive although they are over. */
  stale?: string[];
  /** The starts left until a moment (monotonic), as truthful headers report. */
  left?: { starts: number; until: number };
  /** False: somebody else's, or something of what Lyceum knows is hidden or changed in it. */
  isTrue: boolean;
}

/** `unsent`: no connection. */
export type Silence = "unsent" | "reset" | "silence";

export function own(status: number, json: unknown): Answer {
  return { status, json, isTrue: true };
}

export function toCall(method: string, url: string, body: Call["body"]): Call {
  const { pathname, searchParams } = new URL(url);
  const path = pathname.replace(/^\/api/, "");
  const [, area = "", first = "", second = "", third = ""] = path.split("/").map(decodeURIComponent);
  const [route, id] = routeOf(method, area, first, second, third);
  const marker = route === "start" ? String(body?.file_name).slice(0, MARKER_LENGTH) : "";
  return { method, path, route, id, query: searchParams, body, marker };
}

const MARKER_LENGTH = 30;

function routeOf(
  method: string,
  area: string,
  first: string,
  second: string,
  third: string,
): [Route, string] {
  if (area === "workloads") return method === "POST" ? ["end", second] : ["list", ""];
  if (area === "billing") return ["history", ""];
  if (area === "logs") return ["logs", second];
  if (area !== "execution") return ["other", ""];
  if (second === "start") return ["start", ""];
  if (third === "status") return [first === "gpu_selection" ? "selection" : "status", second];
  if (second === "timing" || second === "metrics") return [second, first];
  return method === "GET" && second === "" ? ["record", first] : ["other", first];
}
