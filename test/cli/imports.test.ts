// Which modules a Python text imports, and which files that means.
import { join } from "node:path";
import { expect, test } from "vitest";
import { gather } from "../../src/cli/gather.ts";
import { importsOf } from "../../src/cli/imports.ts";
import { folder } from "./command.ts";

const spell = (code: string) =>
  importsOf(code).map(
    ({ level, module, names }) => `${".".repeat(level)}${module.join(".")}:${names.join(",")}`,
  );

test("all forms of import are found", () => {
  const code = `import a, b.c as d
from e import f, g as h
from . import i
from ..j.k import (  # why
    l,
    m as n,
)
from .o import *
if True: import p
try: from q import r; import s
except ImportError: pass
import t.\\
    u
def inner():
\tfrom v import w
from.x import y
import é
`;
  expect(spell(code).join(" ")).toBe("a: b.c: e:f,g .:i ..j.k:l,m .o: p: q:r s: t.u: v:w .x:y é:");
});

test("what stands in strings and comments is no import", () => {
  const code = `"""
import a
"""
x = 'import b' # import c
y = r"\\" + "\\"; import d" + f'''
from e import f
'''
z = "unclosed
import g
`;
  expect(spell(code)).toEqual(["g:"]);
});

test("local modules are taken along with what they import, and nothing else", () => {
  using here = folder({
    "project/train.py":
      "import os, numpy\nimport helpers.io\nfrom models import net\nimport lonely\nimport train\n",
    "project/helpers/__init__.py": "from .text import trim\n",
    "project/helpers/io.py": "from ..outside import no\nfrom ...beyond import no\nfrom . import deep\n",
    "project/helpers/text.py": "trim = str.strip\n",
    "project/helpers/deep/__init__.py": "from ..text import trim\nfrom .deeper import x\n",
    "project/helpers/deep/deeper.py": "import helpers.text\n",
    "project/models/net.py": "import lonely\n",
    "project/lonely.py": "import models.net\n",
    "project/unused.py": "",
    "project/requirements.txt": "numpy\n",
    "outside.py": "",
    "beyond.py": "",
  });
  const { files, requirements } = gather(join(here.path, "project/train.py"));
  expect(Object.keys(files).toSorted()).toEqual([
    "helpers/__init__.py",
    "helpers/deep/__init__.py",
    "helpers/deep/deeper.py",
    "helpers/io.py",
    "helpers/text.py",
    "lonely.py",
    "models/net.py",
  ]);
  expect(files["models/net.py"]).toBe("import lonely\n");
  expect(requirements).toBe("numpy\n");
});

test("more than fits into a submission is refused", () => {
  using here = folder({ "big.py": `x = "${"a".repeat(7 * 1024 * 1024)}"`, "main.py": "import big\n" });
  expect(() => gather(join(here.path, "main.py"))).toThrow(/more than 1000 files or 6 MiB/);
});
