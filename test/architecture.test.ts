// Each effect has its place: a search of the sources for strays. Imports between folders are checked by
// dependency-cruiser; here it is only made sure that it knows every folder.
import { globSync, readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { describe, expect, test } from "vitest";

interface Rule {
  what: string;
  pattern: RegExp;
  /** Places in which the pattern may stand: folders end with a slash. */
  only: readonly string[];
  /** Single files that may, too, and why. */
  except?: Record<string, string>;
}

const rules: Rule[] = [
  {
    what: "requests over the network are sent",
    pattern: /\bfetch\(|from "(node:https?|undici)"/,
    only: ["src/lyceum/", "src/emulator/", "src/cli/", "src/client/", "src/workers/deliver/deliver.ts"],
    except: {
      "src/app.ts": "answers requests in memory, and sends none",
      "src/http/request-context.ts": "names the type of an answer that is to be written",
      "src/http/connections.ts": "names the types of connections that it closes",
      "src/http/listen.ts": "opens and closes the servers",
      "src/http/malformed-requests.ts": "answers what node could not read",
      "src/http/callback-fast-path.ts": "takes requests as they come, and sends none",
    },
  },
  {
    what: "SQL is written",
    pattern: /\bsql`|\bsql<|from "kysely|from "(pg|better-sqlite3)"/,
    only: ["src/store/", "migrations/"],
    except: { "src/app/context.ts": "names the type of the dialect that a simulation may put underneath" },
  },
  {
    what: "the machine is asked for the time",
    pattern: /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bprocess\.hrtime\b/,
    only: ["src/lib/clock.ts", "src/emulator/", "src/cli/", "src/client/", "src/dashboard/"],
    except: {
      "src/http/callback-fast-path.ts": "measures how long an answer took, for the log and the metrics",
      "src/http/app.ts": "measures the same of all others",
    },
  },
  {
    what: "timers are set",
    pattern: /\bset(Timeout|Interval)\(|from "node:timers|\bAbortSignal\.timeout\b/,
    only: ["src/lib/clock.ts", "src/emulator/", "src/cli/", "src/client/", "src/dashboard/"],
    except: { "src/store/db/postgres.ts": "bounds the silence of a connection to PostgreSQL" },
  },
  {
    what: "the environment is read, signals are heard and the process ends",
    pattern: /\bprocess\.(env|exit|exitCode|on|once|kill)\b/,
    only: ["src/main.ts", "src/cli.ts", "src/cli/"],
    except: {
      "src/emulator/python.ts": "gives the code that it runs a PATH and nothing else of ours",
      "src/dashboard/snippets.ts": "shows programs to copy",
    },
  },
  {
    what: "chance comes in",
    pattern: /\bMath\.random\b/,
    only: ["src/app/context.ts", "src/emulator/", "src/client/"],
  },
  {
    what: "the console is written to",
    pattern: /\bconsole\./,
    only: ["src/cli.ts", "src/cli/", "src/emulator/"],
    except: { "src/dashboard/snippets.ts": "shows programs to copy" },
  },
];

const root = new URL("../", import.meta.url);
const sources = globSync("{src,migrations}/**/*.ts", { cwd: root }).map((path) => ({
  path: path.replaceAll("\\", "/"),
  code: withoutComments(readFileSync(new URL(path, root), "utf8")),
}));

describe("only in its place", () => {
  test.each(rules)("$what", ({ pattern, only, except = {} }) => {
    const strays = sources
      .filter(({ code }) => pattern.test(code))
      .filter(
        ({ path }) =>
          !only.some((place) => path === place || (place.endsWith("/") && path.startsWith(place))),
      )
      .filter(({ path }) => !(path in except));
    expect(strays.map(({ path }) => path)).toEqual([]);
  });

  test.each(rules)("$what: no exception is out of date", ({ pattern, except = {} }) => {
    const found = sources.filter(({ path, code }) => path in except && pattern.test(code));
    expect(found.map(({ path }) => path).sort()).toEqual(Object.keys(except).sort());
  });
});

describe("no barrels:", () => {
  test("nothing is exported wholesale", () => {
    const wholesale = sources.filter(({ code }) => /\bexport \* (as \w+ )?from\b/.test(code));
    expect(wholesale.map(({ path }) => path)).toEqual([]);
  });

  test("no file of the sources is called index", () => {
    const named = sources.filter(
      ({ path }) => path.startsWith("src/") && basename(path).startsWith("index."),
    );
    expect(named.map(({ path }) => path)).toEqual([]);
  });
});

describe("the words of the code:", () => {
  const written = globSync(
    "{src,test,bench,examples,migrations,ops,packages,clients}/**/*.{ts,css,py,yaml,yml,toml}",
    {
      cwd: root,
      exclude: (path) => /(^|\/)(node_modules|dist)$/.test(path),
    },
  ).map((path) => path.replaceAll("\\", "/"));
  const textOf = (path: string) => readFileSync(new URL(path, root), "utf8");

  test("files and folders have kebab-case names", () => {
    const odd = written.filter(
      (path) => !path.endsWith(".py") && !path.split("/").every((part) => FILE_NAME.test(part)),
    );
    expect(odd).toEqual([]);
  });

  test("limits are called MAX_…", () => {
    const odd = written.filter((path) =>
      /\b([A-Z]+_)*(MOST|LONGEST)_[A-Z]/.test(withoutComments(textOf(path))),
    );
    expect(odd).toEqual([]);
  });

  test("no comment opens with a question word or a pronoun", () => {
    const odd = written.flatMap((path) => openingsIn(textOf(path), path).map((words) => `${path}: ${words}`));
    expect(odd).toEqual([]);
  });

  test("the search for such comments finds each form of comment", () => {
    const forms = [
      ["//", "a.ts"],
      ["go(); //", "a.ts"],
      ["/**", "a.ts"],
      ["/**\n *", "a.ts"],
      ["/*", "a.css"],
      ["key: 1 #", "a.yaml"],
      ["#", "a.py"],
      ['"""', "a.py"],
    ] as const;
    expect(forms.filter(([mark, path]) => openingsIn(`${mark} What is due.`, path).length !== 1)).toEqual([]);
    expect(openingsIn("// The first line.\n// What continues a sentence is no opening.", "a.ts")).toEqual([]);
  });
});

test("every folder of the sources has its row in the dependency table", async () => {
  const { default: table } = await import(new URL(".dependency-cruiser.js", root).href);
  const rows: string[] = table.forbidden.flatMap((rule: { from: { path?: string } }) => rule.from.path ?? []);
  const folders = readdirSync(new URL("src", root), { withFileTypes: true }).filter((one) =>
    one.isDirectory(),
  );
  const unknown = folders.filter(
    ({ name }) => !rows.some((row) => new RegExp(row).test(`src/${name}/any.ts`)),
  );
  expect(unknown.map(({ name }) => name)).toEqual([]);
});

/** Migrations begin with a time stamp, which orders them. */
const FILE_NAME = /^(\d{8}T\d{4}_)?_{0,2}[a-z0-9]+(-[a-z0-9]+)*_{0,2}(\.[a-z0-9]+(-[a-z0-9]+)*)*$/;

/** The openings of comments by a word that hides the noun. A line that continues a comment is no opening. */
function openingsIn(text: string, path: string): string[] {
  const marks = /\.(ts|css)$/.test(path)
    ? String.raw`\/\*\*?[\s*]*|(?<=^|\s)\/\/ *`
    : String.raw`(?<=^|\s)# *|"""\s*`;
  const found = text.matchAll(
    new RegExp(`(?:${marks})(?:Of|What|Whether|Who|Where|How|Those|It)\\b.{0,40}`, "gm"),
  );
  return [...found]
    .filter(({ index }) => !/(^|\n)\s*(\/\/|#)[^\n]*\n\s*$/.test(text.slice(Math.max(0, index - 300), index)))
    .map(([words]) => words);
}

/** Good enough for a search: a string that holds `//` loses its rest. */
function withoutComments(text: string): string {
  return text.replaceAll(/\/\*.*?\*\//gs, "").replaceAll(/(^|\s)\/\/.*/g, "");
}
