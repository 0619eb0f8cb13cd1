// Heads of modules, made at random and judged by Python itself: the statement runs first, and changes nothing else.
import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { withStatement } from "../../src/lib/python-source.ts";

const hasPython = spawnSync("python3", ["--version"]).status === 0;

/** Each module shows its `__doc__`, the line of the error that ends it, and whether the statement came first. */
const RUN_ALL = `
import json, sys, builtins
def run(code):
    builtins.SEEN = []
    names = {"__name__": "module"}
    try:
        compiled = compile(code, "m", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return None
    try:
        exec(compiled, names)
    except BaseException as e:
        t = e.__traceback__
        while t.tb_next: t = t.tb_next
        return {"doc": names.get("__doc__"), "error": repr(e), "line": t.tb_lineno, "seen": SEEN}
print(json.dumps([run(code) for code in json.load(sys.stdin)]))`;

interface Shown {
  doc: string | null;
  error: string;
  line: number;
  seen: string[];
}

function runAll(codes: string[]): (Shown | null)[] {
  const { stdout, stderr } = spawnSync("python3", ["-W", "ignore", "-c", RUN_ALL], {
    input: JSON.stringify(codes),
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout);
}

const STATEMENT = 'SEEN.append("ours")';
const BODY = 'SEEN.append("theirs"); raise KeyError(len(SEEN))';

/** If Python sees a docstring that we do not see, or the other way round, the texts or the lines differ. */
function expectSame(heads: string[]): number {
  const codes = heads.map((head) => head + BODY);
  const plain = runAll(codes);
  const changed = runAll(codes.map((code) => withStatement(code, STATEMENT)));
  for (const [index, before] of plain.entries()) {
    const after = changed[index];
    const about = JSON.stringify(codes[index]);
    if (before === null) continue;
    expect(after, about).toEqual({ ...before, error: "KeyError(2)", seen: ["ours", "theirs"] });
  }
  return plain.filter((before) => before !== null).length;
}

describe.skipIf(!hasPython)(
  "the docstring stays, the statement runs first and lines keep their numbers",
  () => {
    test("with known heads", () => {
      const heads = [
        '("doc")\n',
        '(("doc"))\n',
        '(\n  "doc"\n)\n',
        '( # why\n  "one" # and\n\n  "two"\n) # what\n',
        '("one" \\\n "two")\n',
        '"one" \\\n  "two"\n',
        '"one" \\\n  "two" \\\n\n',
        '"one" \\\r\n  "two"\r\n',
        '"one \\\n two"\n',
        '"one \\\r\n two"\r\n',
        '"doc" \\\n ; \\\n',
        '("doc"); ',
        '"doc"; # and\n',
        '(r"\\d" \'\' """x\n""")\n',
        '\\\n"doc"\n',
        '("doc")\nfrom __future__ import annotations\n',
        '("doc"); from __future__ import (annotations, # why (not)\n division)\n',
        "from __future__ \\\n import \\\n annotations, \\\n division\n",
        'b"no"\n',
        'f"no"\n',
        '("no",)\n',
        '("no").upper()\n',
        '"no" "way".upper()\n',
        '("no" if 1 else "way")\n',
        '"no" + \\\n"way"\n',
        "()\n",
      ];
      expect(expectSame(heads)).toBe(heads.length);
    });

    test("with heads made at random", () => {
      const gap = fc.constantFrom("", " ", "\t", " \f", "\\\n", " \\\r\n ");
      const inner = fc.constantFrom("", " ", "\n", "\r\n", "\n\n", " # why (not) ']\n", "\\\n", "\n  ");
      const string = fc.constantFrom(
        '"a"',
        "'b'",
        '"""c\n\nd"""',
        "'''e'''",
        'r"\\d"',
        'u"f"',
        '"g\\\nh"',
        '"\\""',
        '""',
        "'#'",
        "';'",
        'b"x"',
        'f"y"',
      );
      const strings = (between: fc.Arbitrary<string>) =>
        fc
          .array(fc.tuple(string, between), { minLength: 1, maxLength: 4 })
          .map((parts) => parts.flat().join(""));
      const bracketed = fc
        .tuple(fc.integer({ min: 1, max: 3 }), inner, strings(inner), inner)
        .map(([depth, before, text, after]) => `(${before}`.repeat(depth) + text + `${after})`.repeat(depth));
      const odd = fc.constantFrom(
        "('a',)",
        "('a').upper()",
        "('a')[0]",
        "'a'.upper()",
        "('a' + 'b')",
        "1",
        "pass",
        "x = 1",
      );
      const end = fc.constantFrom("\n", "\r\n", ";", " ;\n", "; # and\n", " # and\n", " \\\n\n", " \\\n; ");
      const docstring = fc
        .tuple(fc.oneof(strings(gap), bracketed, odd), gap, end)
        .map((parts) => parts.join(""));
      const blank = fc.constantFrom("", "", "\n", "# why\n", "  \n\t\n", "\f\n", "\\\n", "# -*- x -*-\r\n");
      const future = fc.constantFrom(
        "",
        "",
        "from __future__ import annotations",
        "from __future__ import (annotations,)",
        "from __future__ \\\n import annotations as a, division",
        "from __future__ import (\n annotations, # a\n division\n)",
      );
      const head = fc.tuple(blank, fc.option(docstring, { nil: "" }), blank, future, end, blank);
      const heads = fc.sample(
        head.map((parts) => parts.join("")),
        { numRuns: 3_000, seed: 7 },
      );
      expect(expectSame(heads)).toBeGreaterThan(1_000);
    });
  },
);
