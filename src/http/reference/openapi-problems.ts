// Which problems a route may answer with, and the responses that the document has for them.
import type { ZodOpenApiResponsesObject } from "zod-openapi";
import { exampleOf, type ProblemKind, problem, problems } from "../../contract/problem.ts";
import type { Route } from "../route.ts";

export const anyText = { type: "string" } as const;
/** Headers of every answer. */
export const everywhere = { "X-Request-Id": { $ref: "#/components/headers/RequestId" } } as const;

/** One response per status; several kinds of problem may share one. The same kinds are the same response everywhere. */
export function refusalsOf(route: Route, known: Map<string, Refusal>): ZodOpenApiResponsesObject {
  const byStatus = Map.groupBy(problemsOf(route), (kind) => problems[kind][0]);
  const responses = [...byStatus].map(([status, those]) => {
    const refusal = refusalOf(those.toSorted());
    const shared = known.get(refusal.id) ?? refusal;
    known.set(refusal.id, shared);
    return [status, shared];
  });
  return Object.fromEntries(responses);
}

export type Refusal = ReturnType<typeof refusalOf>;

function refusalOf(kinds: ProblemKind[]) {
  const examples = Object.fromEntries(kinds.map((kind) => [kind, { value: exampleOf(kind) }]));
  return {
    id: kinds.map((kind) => kind.replace(/(?:^|-)([a-z])/g, (_, letter) => letter.toUpperCase())).join("Or"),
    description: kinds.map((kind) => `\`${kind}\`: ${problems[kind][1]}.`).join(" "),
    headers: Object.assign({}, everywhere, ...kinds.map((kind) => headersOf[kind])),
    content: { "application/problem+json": { schema: problem, examples } },
  };
}

const retryAfter = {
  "Retry-After": { description: "Seconds, where it is worth asking again.", schema: anyText },
};
const headersOf: Partial<Record<ProblemKind, object>> = {
  unauthorized: { "WWW-Authenticate": { description: "`Bearer`.", schema: anyText } },
  "not-ready": retryAfter,
  "queue-full": retryAfter,
  "database-unavailable": retryAfter,
  "insufficient-storage": retryAfter,
  "too-many-waiting": retryAfter,
  "too-many-attempts": retryAfter,
};

/** What follows from who may call, the path, the query and the body, and what the operation says itself. */
function problemsOf({ access, path, method, operation }: Route): ProblemKind[] {
  const { body, problems: more = [] } = operation;
  const kinds = new Set<ProblemKind>(more);
  if (access !== "open") kinds.add("unauthorized").add("database-unavailable");
  if (access !== "open" && method !== "GET") kinds.add("insufficient-storage");
  if (access === "write" || access === "admin") kinds.add("forbidden");
  if (access !== "open" && access !== "callback") {
    if (path.includes(":")) kinds.add("not-found");
    // At the least for a parameter of the query that it does not have.
    kinds.add("validation-failed");
  }
  if (body !== undefined) kinds.add("bad-request");
  if (body?.content["application/json"] !== undefined)
    for (const kind of ["invalid-json", "body-too-large", "validation-failed"] as const) kinds.add(kind);
  return [...kinds.add("internal")];
}
