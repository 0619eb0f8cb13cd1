// The problems that a route may answer with, as responses of the document.
import type { ZodOpenApiResponsesObject } from "zod-openapi";
import { exampleOf, type ProblemKind, problem, problems } from "../../contract/problem.ts";
import type { Route } from "../route.ts";

export const anyText = { type: "string" } as const;
export const everywhere = { "X-Request-Id": { $ref: "#/components/headers/RequestId" } } as const;

/** Routes with the same kinds of problem share the response. */
export function problemResponses(
  route: Route,
  known: Map<string, ProblemResponse>,
): ZodOpenApiResponsesObject {
  const byStatus = Map.groupBy(problemsOf(route), (kind) => problems[kind][0]);
  const responses = [...byStatus].map(([status, kinds]) => {
    const response = responseOf(kinds.toSorted());
    const shared = known.get(response.id) ?? response;
    known.set(response.id, shared);
    return [status, shared];
  });
  return Object.fromEntries(responses);
}

export type ProblemResponse = ReturnType<typeof responseOf>;

function responseOf(kinds: ProblemKind[]) {
  const examples = Object.fromEntries(kinds.map((kind) => [kind, { value: exampleOf(kind) }]));
  return {
    id: kinds.map((kind) => kind.replace(/(?:^|-)([a-z])/g, (_, letter) => letter.toUpperCase())).join("Or"),
    description: kinds.map((kind) => `\`${kind}\`: ${problems[kind][1]}.`).join(" "),
    headers: Object.assign({}, everywhere, ...kinds.map((kind) => headersOf[kind])),
    content: { "application/problem+json": { schema: problem, examples } },
  };
}

const retryAfter = {
  "Retry-After": { description: "Seconds after which a repetition may succeed.", schema: anyText },
};
const headersOf: Partial<Record<ProblemKind, object>> = {
  unauthorized: { "WWW-Authenticate": { description: "`Bearer`.", schema: anyText } },
  "not-ready": retryAfter,
  "queue-full": retryAfter,
  "database-unavailable": retryAfter,
  "insufficient-storage": retryAfter,
  "too-many-waiting": retryAfter,
  "too-many-attempts": retryAfter,
  "quota-exceeded": {
    ...retryAfter,
    "RateLimit-Policy": {
      description:
        '`"runs";q=100;w=3600`: runs in each window of so many seconds. `"waiting";q=500`: runs that may wait.',
      schema: anyText,
    },
    RateLimit: {
      description:
        '`"runs";r=3;t=1260`: runs left, and seconds to the next window. `"waiting";r=0`: further runs that may wait.',
      schema: anyText,
    },
  },
};

/** Problems that follow from access, path, query and body, and those that the operation names. */
function problemsOf({ access, path, method, operation }: Route): ProblemKind[] {
  const { body, problems: more = [] } = operation;
  const kinds = new Set<ProblemKind>(more);
  if (access !== "open") kinds.add("unauthorized").add("database-unavailable");
  if (access !== "open" && method !== "GET") kinds.add("insufficient-storage");
  if (access === "write" || access === "admin") kinds.add("forbidden");
  if (access !== "open" && access !== "callback") {
    if (path.includes(":")) kinds.add("not-found");
    // Every such route refuses unknown parameters.
    kinds.add("validation-failed");
    // Many wrong keys from one address.
    kinds.add("too-many-attempts");
  }
  if (body !== undefined) kinds.add("bad-request");
  if (body?.content["application/json"] !== undefined)
    for (const kind of ["invalid-json", "body-too-large", "validation-failed"] as const) kinds.add(kind);
  return [...kinds.add("internal")];
}
