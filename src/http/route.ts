// A row of the route table: handlers get query, body and resource validated and visible to the caller.
import type { z } from "zod";
import type { Operation } from "../contract/operation.ts";
import { noQuery } from "../contract/query.ts";
import type { Access } from "./auth.ts";
import { invalid, problem } from "./problem.ts";
import { jsonBody, queryOf } from "./read-request.ts";
import type { AppContext, RequestContext } from "./request-context.ts";
import { idsOf, type Resources, resourceNamedBy, resources } from "./resources.ts";

export interface Route {
  method: "GET" | "POST" | "DELETE";
  /** Hono's template; logs and metrics name the route by it. */
  path: string;
  access: Access;
  operation: Operation;
  /** Compresses answers if the caller accepts it. */
  isLarge?: true;
  serve(c: RequestContext, context: AppContext): Promise<Response>;
}

export type Input<O extends Operation, N extends keyof Resources = never> = {
  c: RequestContext;
  context: AppContext;
  query: QueryOf<O>;
  body: BodyOf<O>;
} & ([N] extends [never] ? unknown : Resources[N]);

type QueryOf<O> = O extends { query: infer S extends z.ZodType } ? z.output<S> : Record<string, never>;

type BodyOf<O> = O extends { body: { isReadByHandler: true } }
  ? undefined
  : O extends { body: { content: { "application/json": infer S extends z.ZodType } } }
    ? z.output<S>
    : undefined;

type NamesIn<P> = P extends `${string}:${infer Name}/${infer Rest}`
  ? Name | NamesIn<`/${Rest}`>
  : P extends `${string}:${infer Name}`
    ? Name
    : never;

/** Rows that require no API key have no caller, who could see a resource, and ignore unknown parameters. */
type Keyless = "open" | "callback";

interface Row<P extends string, O extends Operation, A extends Access>
  extends Omit<Route, "serve" | "path" | "operation" | "access"> {
  path: P;
  access: A;
  operation: O;
  handle: (
    input: Input<O, A extends Keyless ? never : Extract<NamesIn<P>, keyof Resources>>,
  ) => Response | Promise<Response>;
}

/** Without a query schema, a row that requires an API key refuses every parameter. */
export function route<const P extends string, O extends Operation, const A extends Access>(
  row: Row<P, O, A>,
): Route {
  const { handle, ...published } = row;
  const { body: publishedBody, query }: Operation = row.operation;
  const isKeyless = row.access === "open" || row.access === "callback";
  const querySchema = query ?? (isKeyless ? null : noQuery);
  const bodySchema =
    publishedBody?.isReadByHandler === true ? undefined : publishedBody?.content["application/json"];
  const name = isKeyless ? null : resourceNamedBy(row.path);
  return {
    ...published,
    async serve(c, context) {
      const query = querySchema === null ? NOTHING : queryOf(c, querySchema);
      if (!query.ok) return invalid(c, query.errors);
      const body = bodySchema === undefined ? NOTHING : await jsonBody(c, bodySchema);
      if (!body.ok) return body.answer;
      const named = name === null ? {} : await resources[name].find(c, context);
      if (named === null) return problem(c, "not-found", resources[name as keyof Resources].notFound);
      c.set("ids", idsOf(named));
      const input = { c, context, query: query.value ?? {}, body: body.value, ...named };
      return handle(input as InputOf<typeof handle>);
    },
  };
}

type InputOf<F> = F extends (input: infer I) => unknown ? I : never;

const NOTHING = { ok: true as const, value: undefined };
