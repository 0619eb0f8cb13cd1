// The dashboard at `/`, its files, and signing in. All parts come from this origin.
import * as operations from "../../contract/operations/dashboard.ts";
import { type DashboardParts, readDashboardParts } from "../dashboard-parts.ts";
import { problem, tooManyWrongKeys, unauthorized } from "../problem.ts";
import { addressOf } from "../request-context.ts";
import { type Input, type Route, route } from "../route.ts";
import { callerByCookie, isSameOrigin, signIn, signOut } from "../session.ts";

export const dashboardRoutes: Route[] = [
  route({
    method: "GET",
    path: "/",
    isLarge: true,
    access: "open",
    operation: operations.getDashboard,
    handle: getPage,
  }),
  route({
    method: "GET",
    path: "/ui/:file",
    isLarge: true,
    access: "open",
    operation: operations.getDashboardPart,
    handle: getPart,
  }),
  route({
    method: "POST",
    path: "/session",
    access: "open",
    operation: operations.signIn,
    handle: postSession,
  }),
  route({
    method: "DELETE",
    path: "/session",
    access: "open",
    operation: operations.signOut,
    handle: deleteSession,
  }),
];

let reading: Promise<DashboardParts> | null = null;

/** A failed read is repeated. */
function dashboardParts(): Promise<DashboardParts> {
  reading ??= readDashboardParts().catch((error) => {
    reading = null;
    throw error;
  });
  return reading;
}

/** Relative links work below a proxy's prefix. */
async function getPage({ c, context }: Input<typeof operations.getDashboard>) {
  const { modules, styles } = await dashboardParts();
  // Saves the page a refused request. While the database is away, the page comes all the same.
  const isSignedIn = await callerByCookie(c, context).then(
    (caller) => caller !== null,
    () => true,
  );
  const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>Proctor</title>
    <link rel="icon" href="${icon}">
${styles.map((name) => `    <link rel="stylesheet" href="ui/${name}">`).join("\n")}
${modules.map((name) => `    <link rel="modulepreload" href="ui/${name}">`).join("\n")}
    <script type="module" src="ui/${modules.at(-1)}"></script>
  </head>
  <body data-signed-in="${isSignedIn}">
    <div id="app"></div>
    <noscript><h1>Proctor ${context.version}</h1><p>This page needs JavaScript. The <a href="docs">API reference</a> and the <a href="openapi.json">OpenAPI document</a> say how to do without.</p></noscript>
  </body>
</html>
`;
  return c.body(page, 200, { "Content-Type": "text/html; charset=utf-8", ...guard });
}

const icon =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='4' fill='%231f5fd0'/%3E%3Cpath d='M4 8.5l2.6 2.6L12 5.4' fill='none' stroke='white' stroke-width='2' stroke-linecap='round' stroke-linejoin='round'/%3E%3C/svg%3E";

/** Forbids other origins, scripts made from text, and framing. */
const guard = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
};

async function getPart({ c }: Input<typeof operations.getDashboardPart>) {
  const part = (await dashboardParts()).byName.get(c.req.param("file") ?? "");
  if (part === undefined) return problem(c, "not-found", "no such file; reload the page");
  return c.body(part.text, 200, {
    "Content-Type": `${part.type}; charset=utf-8`,
    // The name contains the hash of the content.
    "Cache-Control": "public, max-age=31536000, immutable",
  });
}

async function postSession({ c, context, body }: Input<typeof operations.signIn>) {
  // Only browsers send these headers, and a page of another site cannot omit them.
  const site = c.req.header("Sec-Fetch-Site") ?? c.req.header("Origin");
  if (site !== undefined && !isSameOrigin(c))
    return problem(c, "forbidden", "sign in from Proctor's own page");
  const now = context.now();
  const address = addressOf(c);
  const pauseMs = context.signInLimit.pauseMs(address, now);
  if (pauseMs > 0) return tooManyWrongKeys(c, pauseMs);
  const name =
    context.keys.authenticate(`Bearer ${body.key}`)?.name ?? context.signInLinks.redeem(body.key, now);
  const key = name === null ? undefined : context.keys.keyNamed(name);
  if (key === undefined) {
    context.signInLimit.noteWrong(address, now);
    return unauthorized(c, "not an API key of this service, or a link that was already used");
  }
  await signIn(c, context, key);
  return c.body(null, 204);
}

async function deleteSession({ c, context }: Input<typeof operations.signOut>) {
  if ((await callerByCookie(c, context)) !== null && !isSameOrigin(c))
    return problem(c, "forbidden", "sign out from Proctor's own page");
  await signOut(c, context);
  return c.body(null, 204);
}
