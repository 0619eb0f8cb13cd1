// A proxy between Lyceum and its callers: answers instead of Lyceum, or changes its answers.
import type { Context, MiddlewareHandler } from "hono";
import type { StatusCode } from "hono/utils/http-status";
import type { FormName, GatewayRule, RouteGroup } from "./switches/gateway.ts";
import { cut, type Env, silence, type World } from "./world.ts";

type Manner = "own" | "reset" | "silence";

interface Form {
  /** Default: that of the real answer. */
  status?: number;
  type?: string;
  headers?: Record<string, string>;
  /** A function gets the real answer's text. */
  body: string | ((answer: string) => string);
}

const groups: [RouteGroup, RegExp][] = [
  ["starts", /^POST \/execution\/\w+\/start$/],
  ["cancel", /^(POST \/workloads\/(abort|stop)\/|POST \/execution\/streaming\/abort\/|DELETE )/],
  ["lists", /^GET \/workloads\/list$/],
  ["history", /^GET \/billing\/history$/],
  ["artifacts", /^GET \/(execution\/[^/]+\/(timing|metrics)|logs\/execution\/[^/]+)$/],
  ["records", /^GET \/execution\//],
  ["auth", /^POST \/auth\//],
  ["health", /^GET \/health\//],
];

export function gateway({ chaos, ledger }: World, prefix: string): MiddlewareHandler<Env> {
  function ruleFor(method: string, path: string): GatewayRule | undefined {
    const execution = path
      .split("/")
      .map((part) => ledger.find(part))
      .find(Boolean);
    const rules = execution === undefined ? chaos.current().gateway : chaos.of(execution).gateway;
    const group = groups.find(([, pattern]) => pattern.test(`${method} ${path}`))?.[0] ?? "account";
    return rules.find(
      ({ routes, when }, nth) =>
        [routes].flat().some((name) => name === group || name === "all") &&
        chaos.happens(`gateway.${nth}`, when),
    );
  }

  return async (c, next) => {
    const rule = ruleFor(c.req.method, c.req.path.slice(prefix.length));
    if (rule === undefined) return next();
    const { deed, headers } = rule;
    const form = formOf(rule.answer);
    if (deed === "undone" && !isMadeOfTruth(form)) return replaced(c, form, headers);
    await next();
    if (c.get("destroyed")) return undefined;
    if (isMadeOfTruth(form) && (form === "own" || !c.res.ok)) {
      for (const [name, value] of Object.entries(headers)) c.header(name, value);
      return undefined;
    }
    const answer = await replaced(c, form, headers);
    // Otherwise the headers of the real answer would be kept.
    c.res = undefined;
    c.res = answer;
    return undefined;
  };
}

/** Errors are not changed. */
function isMadeOfTruth(form: Form | Manner): boolean {
  return form === "own" || (typeof form === "object" && typeof form.body === "function");
}

async function replaced(
  c: Context<Env>,
  form: Form | Manner,
  more: Record<string, string>,
): Promise<Response> {
  if (form === "reset") return cut(c);
  if (form === "silence") return silence(c);
  if (form === "own") return c.res;
  const status = (form.status ?? c.res.status) as StatusCode;
  const text = typeof form.body === "string" ? form.body : form.body(await c.res.text());
  const headers = { "Content-Type": form.type ?? "application/json", ...form.headers, ...more };
  return new Response(text === "" ? null : text, { status, headers });
}

function formOf(answer: GatewayRule["answer"]): Form | Manner {
  if (answer === "own" || answer === "reset" || answer === "silence") return answer;
  if (typeof answer === "string") return forms[answer];
  const { status, type = "application/json", body } = answer;
  if (!body.includes("<answer>")) return { status: status ?? 200, type, body };
  const form: Form = { type, body: (truth) => body.replaceAll("<answer>", () => truth) };
  return status === undefined ? form : { ...form, status };
}

const page = (status: number): Form => ({
  status,
  type: "text/html",
  body: `<html><body><h1>emulator: page ${status} of a gateway</h1></body></html>`,
});

const json = (status: number, value: object): Form => ({ status, body: JSON.stringify(value) });

const forms: Record<Exclude<FormName, Manner>, Form> = {
  login: { ...page(302), headers: { Location: "https://login.example.test/" } },
  403: page(403),
  404: page(404),
  405: page(405),
  413: page(413),
  500: page(500),
  502: page(502),
  503: page(503),
  504: page(504),
  backend: { status: 404, type: "text/plain", body: "default backend - 404" },
  page: page(200),
  empty: { status: 200, body: "" },
  stranger: json(200, { ok: true }),
  unavailable: json(503, { detail: "Service temporarily unavailable" }),
  credits: json(402, { detail: "Insufficient credits" }),
  detail: json(200, { detail: "Internal error" }),
  error: json(200, { error: "Internal error" }),
  envelope: { body: (answer) => `{"status":"success","data":${answer},"message":"ok"}` },
  executions: { body: (answer) => `{"executions":${answer}}` },
  results: { body: (answer) => `{"results":${answer}}` },
  bom: { body: (answer) => `\uFEFF${answer}` },
  cut: { body: (answer) => answer.slice(0, answer.length / 2) },
};
