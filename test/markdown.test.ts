// The Markdown files against the repository: their form, the files that they name, and the settings and requests that
// they describe.
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { settingNames } from "../src/config/environment.ts";
import { readConfig } from "../src/config.ts";
import { submission } from "../src/contract/submission.ts";
import { document as openApi } from "./http/conformance.ts";
import { type Document, documents, read, root } from "./support/documents.ts";

const MAX_COLUMNS = 120;

test.each(documents())("no line of $path is wider than 120 columns", ({ text }) => {
  const wide = linesOf(text).filter(({ line }) => line.length > MAX_COLUMNS);
  expect(wide).toEqual([]);
});

test.each(documents())(
  "every relative link of $path leads to a file, and its anchor to a heading",
  (page) => {
    expect(linksOf(page).filter((link) => !resolves(page, link))).toEqual([]);
  },
);

test.each(documents())("every TypeScript file that $path names exists", (page) => {
  const named = [...page.text.matchAll(/`([\w./-]+\.ts)`/g)].map(([, path = ""]) => path);
  expect(named.filter((path) => fileNamed(path, page) === undefined)).toEqual([]);
});

test.each(documents())("every function that $path places in a file is exported there", (page) => {
  const placed = [...page.text.matchAll(/`(\w+)`(?: and `(\w+)`)?\s+in\s+`([\w./-]+\.ts)`/g)];
  const missing = placed.flatMap(([, first, second, path = ""]) => {
    const code = read(fileNamed(path, page) ?? path);
    const names = [first, second].filter((name) => name !== undefined);
    return names.filter((name) => !new RegExp(`^export .*\\b${name}\\b`, "m").test(code));
  });
  expect(missing).toEqual([]);
});

test("ARCHITECTURE.md names every folder of the sources", () => {
  const folders = readdirSync(join(root, "src"), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  const text = read("ARCHITECTURE.md");
  expect(folders.filter(({ name }) => !text.includes(`\`src/${name}/\``)).map(({ name }) => name)).toEqual(
    [],
  );
});

test("a line that is too wide, a dead link and a dead anchor are all found", () => {
  const page = {
    path: "docs/page.md",
    text: `${"é".repeat(121)}\n[a](../README.md) [b](gone.md) [c](#gone)\n# A b\n`,
  };
  expect(linesOf(page.text).filter(({ line }) => line.length > MAX_COLUMNS)).toHaveLength(1);
  expect(linksOf(page).filter((link) => !resolves(page, link))).toEqual(["gone.md", "#gone"]);
  expect(resolves(page, "#a-b")).toBe(true);
});

describe("docs/configuration.md", () => {
  const described = new Map(
    [...read("docs/configuration.md").matchAll(/^- `([A-Z_]+)`(?: \(default `([^`]+)`\))?:/gm)].map(
      ([, name = "", preset]) => [name, preset],
    ),
  );

  test("docs/configuration.md describes every setting once, and no other", () => {
    expect([...described.keys()].sort()).toEqual([...settingNames].sort());
  });

  test.each([...described])("docs/configuration.md names the default of %s", (name, preset) => {
    const least = {
      LYCEUM_API_KEY: "lk_1",
      API_KEYS: `a:${"k".repeat(32)}`,
      DATABASE_URL: "postgres://db/proctor",
    };
    const given = (env: Record<string, string | undefined>) => readConfig({ ...least, ...env });
    // Setting a documented default changes nothing; a setting without a default has nothing to change.
    if (preset !== undefined) expect(given({ [name]: preset })).toEqual(given({ [name]: undefined }));
    else expect(withoutDefault).toContain(name);
  });

  /** Required, or off unless it is set. */
  const withoutDefault = [
    ...[
      "LYCEUM_API_KEY",
      "LYCEUM_EMAIL",
      "LYCEUM_PASSWORD",
      "LYCEUM_ORG_SLUG",
      "API_KEYS",
      "KEY_BUDGETS",
      "KEY_QUOTAS",
      "EXPORT_DIR",
      "BACKUP_DIR",
      "DATABASE_LISTEN_URL",
      "SETTINGS_REVISION",
    ],
    ...["PUBLIC_URL", "CALLBACK_SECRETS", "METRICS_PORT", "WEBHOOK_SECRET", "WEBHOOK_ALLOW_PRIVATE"],
    ...["SETTINGS_REVISION", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_TRACE_URL"],
  ];
});

test("docs/api.md lists every request of the OpenAPI document, and no other", () => {
  const listed = [...read("docs/api.md").matchAll(/^- `([A-Z]+) (\/[^`?]*)`/gm)].map(
    ([, method, path]) => `${method} ${path}`,
  );
  const published = Object.entries<object>(openApi.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  // Not for callers: Lyceum's own way in, and the parts of the pages at /docs and /.
  const forCallers = published.filter((request) => !/ \/(callbacks\/|docs\/\{|ui\/)/.test(request));
  expect(listed.sort()).toEqual(forCallers.sort());
});

test("every submission in a shell example is one that the service takes", () => {
  const bodies = documents().flatMap(({ text }) =>
    [...text.matchAll(/\/v1\/jobs [^']*? -d '(.*?)'/gs)].map(([, body = ""]) => JSON.parse(body)),
  );
  expect(bodies.length).toBeGreaterThan(0);
  for (const body of bodies) expect(submission.safeParse(body).error).toBeUndefined();
});

/** Named from the root, from `src` or from the page's folder. */
function fileNamed(path: string, page: Document): string | undefined {
  return [path, join("src", path), join(dirname(page.path), path)].find((file) =>
    existsSync(join(root, file)),
  );
}

function linesOf(text: string): { number: number; line: string }[] {
  return text.split("\n").map((line, index) => ({ number: index + 1, line }));
}

function linksOf({ text }: Document): string[] {
  const prose = text.replaceAll(/^```.*?^```$/gms, "");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = ""]) => link)
    .filter((link) => !/^[a-z]+:/.test(link));
}

function resolves({ path, text }: Document, link: string): boolean {
  const [file = "", anchor] = link.split("#");
  const target = join(dirname(path), file);
  if (file !== "" && !existsSync(join(root, target))) return false;
  return anchor === undefined || headingsOf(file === "" ? text : read(target)).includes(anchor);
}

/** As GitHub names them in links. */
function headingsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-"),
  );
}
