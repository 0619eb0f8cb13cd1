import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { withEnvironment } from "../../src/lyceum/python-env.ts";

const hasPython = spawnSync("python3", ["--version"]).status === 0;
const env = { LR: "0.1" };
const show = "import os; print(os.environ['LR'])";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "prelude-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs many pieces of code as modules in one python3: starting one each is slow. */
const RUN_ALL = `
import contextlib, io, json, os, runpy, sys, traceback
def run(file):
    os.environ.pop("LR", None)
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out): runpy.run_path(file, run_name="__main__")
        return {"stdout": out.getvalue(), "error": None, "line": None}
    except BaseException as e:
        last = traceback.extract_tb(e.__traceback__)[-1]
        return {"stdout": out.getvalue(), "error": repr(e), "line": last.lineno}
print(json.dumps([run(file) for file in sys.argv[1:]]))`;

function runAll(codes: string[]): { stdout: string; error: string | null; line: number | null }[] {
  const files = codes.map((_, index) => join(folder, `part${index}.py`));
  for (const [index, file] of files.entries()) writeFileSync(file, codes[index] ?? "");
  return JSON.parse(spawnSync("python3", ["-c", RUN_ALL, ...files], { encoding: "utf8" }).stdout);
}

function python(code: string) {
  const file = join(folder, "main.py");
  writeFileSync(file, code);
  const { stdout, stderr, status } = spawnSync("python3", [file], { encoding: "utf8" });
  return { stdout, stderr, status };
}

describe("the text", () => {
  test("code without an environment is left alone", () => {
    expect(withEnvironment("print(1)", {})).toBe("print(1)");
  });

  test("the statement shares the first line with a simple statement", () => {
    expect(withEnvironment("x = 1\ny = 2\n", env)).toMatch(/^__import__\("os"\).*; x = 1\ny = 2\n$/);
  });

  test("the statement is plain ASCII on one line, whatever the values", () => {
    const text = withEnvironment("pass", { A: 'π "quoted"\n\\ 🚀 \u2028' });
    expect(text).toMatch(/^[\x20-\x7e]+$/);
  });

  test("a notebook document gets a cell of its own in front", () => {
    const notebook = { cells: [{ cell_type: "code", source: ["print(1)"] }], nbformat: 4 };
    const { cells, nbformat } = JSON.parse(withEnvironment(JSON.stringify(notebook), env, true));
    expect(cells).toHaveLength(2);
    expect(cells[0].source[0]).toContain("environ.update");
    expect(nbformat).toBe(4);
  });

  test("notebook code that is no document is treated like Python", () => {
    expect(withEnvironment("%time f()", env, true)).toMatch(/\)\n%time f\(\)$/);
  });

  test.each([
    ["newlines", "\n"],
    ["comments", "#\n"],
    ["strings", '""'],
    ["blanks", " "],
    ["names of a future import", "from __future__ import a, ", "a, "],
    ["an open docstring", '"""', "x\\"],
  ])("eight megabytes of %s are read without trouble", (_, start, more = start) => {
    const code = start + more.repeat(8_000_000 / more.length);
    expect(withEnvironment(code, env).length).toBeGreaterThan(code.length);
  });
});

describe.skipIf(!hasPython)("run by python3", () => {
  const heads: [string, string][] = [
    ["no head", ""],
    ["a comment", "# hello\n"],
    ["a shebang and a coding line", "#!/usr/bin/env python3\n# -*- coding: latin-1 -*-\n"],
    ["blank lines with blanks in them", "\n   \n\t\n"],
    ["a docstring", '"""What it does."""\n'],
    ["a docstring and a comment on its line", '"""What it does."""  # noqa\n'],
    ["a long docstring with quotes", '"""What "it" does \\""" \nfrom __future__ import nothing\n"""\n'],
    ["a docstring in single quotes", "'it''s'\n"],
    ["a raw docstring", "r'''a\\b'''\n"],
    ["two strings as one docstring", "'a' \"b\"\n"],
    ["a future import", "from __future__ import annotations\n"],
    [
      "several future imports",
      "from __future__ import annotations\n\n# more\nfrom __future__ import division, generators\n",
    ],
    ["a future import in brackets", "from __future__ import (\n  annotations,\n  division,\n)\n"],
    ["a future import in brackets with a comment", "from __future__ import (annotations,  # why (not)\n)\n"],
    ["a future import with another name", "from __future__ import annotations as a\n"],
    ["a future import and more on its line", "from __future__ import annotations; import sys\n"],
    ["a future import over two lines", "from __future__ import annotations, \\\n  division\n"],
    ["a docstring and a future import on one line", '"doc"; from __future__ import annotations\n'],
    ["a docstring in brackets and a future import", '("doc")\nfrom __future__ import annotations\n'],
    ["a docstring with a prefix that is none", 'b"doc"\n'],
    ["a string that goes on as an expression", '"a".upper()\n'],
    ["Windows line ends", '"""doc\r\n"""\r\nfrom __future__ import annotations\r\n'],
    ["a byte order mark", "\uFEFFfrom __future__ import annotations\n"],
    ["a byte order mark and an odd future import", "\uFEFFfrom __future__ import (annotations, #\n)\n"],
    ["a function", "def f():\n  return 1\n"],
    ["a decorator", "@staticmethod\ndef f():\n  return 1\n"],
    ["a loop", "for i in range(2):\n  pass\n"],
    ["a match", "match 1:\n  case 1:\n    pass\n"],
    ["a name that begins like a keyword", "format = 1\n"],
    ["a statement over several lines", "x = [\n  1,\n]\n"],
    ["a text that quotes a future import", 'x = """\nfrom __future__ import annotations\n"""\n'],
    ["a form feed", "\f\n\fimport sys\n"],
  ];

  const raise = "raise ValueError('here')";
  let seen: ReturnType<typeof runAll>;
  let raised: ReturnType<typeof runAll>;
  beforeAll(() => {
    seen = runAll(heads.map(([, head]) => withEnvironment(head + show, env)));
    raised = runAll(heads.map(([, head]) => withEnvironment(head + raise, env)));
  });

  test.each(heads.map(([name, head], index) => [name, head, index] as const))(
    "code that opens with %s sees the variable and keeps its line numbers",
    (_, head, index) => {
      expect(seen[index]).toEqual({ stdout: "0.1\n", error: null, line: null });
      const line = head.split(/\r\n|\r|\n/).length;
      const movesDown = /^(def|@|for|match)\b|^@/.test(head);
      expect(raised[index]).toMatchObject({ error: "ValueError('here')", line: line + (movesDown ? 1 : 0) });
    },
  );

  test("the docstring and the future flags stay in force", () => {
    const code = '"""Doc."""\nfrom __future__ import annotations\ndef f(x: undefined): ...\nprint(__doc__)';
    expect(python(withEnvironment(code, env)).stdout).toBe("Doc.\n");
  });

  test("only a comment, and nothing at all, still run", () => {
    for (const code of ["# hi", "", "\n", '"""doc"""', "   "]) {
      expect(python(withEnvironment(code, env)).status).toBe(0);
    }
  });

  test("every value arrives as it is", () => {
    const odd = {
      QUOTES: `"'"""'''`,
      BACKSLASH: "\\n \\u0041 \\N{DASH} \\",
      LINES: "a\nb\r\n",
      WORLD: "é π 漢 🚀 \u2028",
      BRACES: "{x} %s $HOME $(ls)",
      EMPTY: "",
    };
    const code =
      "import os, json; print(json.dumps({k: os.environ[k] for k in json.loads(os.environ['KEYS'])}))";
    const keys = JSON.stringify(Object.keys(odd));
    expect(JSON.parse(python(withEnvironment(code, { ...odd, KEYS: keys })).stdout)).toEqual(odd);
  });

  test("a child process that runs the file again sees the variable too", () => {
    const code = `import multiprocessing as m, os
def f(_): return os.environ["LR"]
if __name__ == "__main__":
    print(m.get_context("spawn").Pool(1).map(f, [1]))`;
    expect(python(withEnvironment(code, env)).stdout).toBe("['0.1']\n");
  });
});
