// The OpenAPI document and the page that shows it. All parts of the page come from this origin.
import { readFile } from "node:fs/promises";
import * as operations from "../../contract/operations/service.ts";
import { problem } from "../problem.ts";
import { openApiOf } from "../reference/openapi.ts";
import { type Input, type Route, route } from "../route.ts";

/** @param table returns all routes; called once, at the first request for the document */
export function referenceRoutes(table: () => readonly Route[]): Route[] {
  let text: string | null = null;

  async function getDocument({ c, context }: Input<typeof operations.getDocument>) {
    text ??= JSON.stringify(openApiOf(table(), context.version));
    return c.body(text, 200, { "Content-Type": "application/json", "Cache-Control": "public, max-age=300" });
  }

  return [
    route({
      method: "GET",
      path: "/openapi.json",
      isLarge: true,
      access: "open",
      operation: operations.getDocument,
      handle: getDocument,
    }),
    route({
      method: "GET",
      path: "/docs",
      access: "open",
      operation: operations.getReference,
      handle: getPage,
    }),
    route({
      method: "GET",
      path: "/docs/:file",
      isLarge: true,
      access: "open",
      operation: operations.getReferencePart,
      handle: getPart,
    }),
  ];
}

/** Relative paths work below a proxy's prefix; the version in them bypasses old caches. */
async function getPage({ c, context: { version } }: Input<typeof operations.getReference>) {
  const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Proctor API</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="docs/swagger-ui.css?v=${version}">
    <script src="docs/swagger-ui-bundle.js?v=${version}" defer></script>
    <script src="docs/start.js?v=${version}" defer></script>
  </head>
  <body>
    <noscript>This page needs JavaScript. The document is <a href="openapi.json">openapi.json</a>.</noscript>
    <div id="reference"></div>
  </body>
</html>
`;
  return c.body(page, 200, { "Content-Type": "text/html; charset=utf-8", ...guard });
}

/** Forbids other origins, inline scripts and framing. */
const guard = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "Referrer-Policy": "no-referrer",
};

const start = `SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  validatorUrl: null,
  persistAuthorization: false,
});
`;

async function getPart({ c }: Input<typeof operations.getReferencePart>) {
  const read = parts[c.req.param("file") ?? ""];
  if (read === undefined) return problem(c, "not-found", "no such file");
  const { text, type } = await read();
  return c.body(text, 200, {
    "Content-Type": `${type}; charset=utf-8`,
    "Cache-Control": "public, max-age=86400",
  });
}

interface Part {
  text: string;
  type: "text/javascript" | "text/css";
}

/** Files by name; others are not served. */
const parts: Record<string, (() => Promise<Part>) | undefined> = Object.assign(Object.create(null), {
  "start.js": async () => ({ text: start, type: "text/javascript" }),
  "swagger-ui-bundle.js": async () => ({
    text: await shipped(import.meta.resolve("swagger-ui-dist/swagger-ui-bundle.js")),
    type: "text/javascript",
  }),
  "swagger-ui.css": async () => ({
    text: await shipped(import.meta.resolve("swagger-ui-dist/swagger-ui.css")),
    type: "text/css",
  }),
});

function shipped(url: string): Promise<string> {
  return readFile(new URL(url), "utf8");
}
