// Finds the modules that Python code imports. Names are only looked up on disk, so finding too many does no harm.

export interface Import {
  /** Dots in front of the module. */
  level: number;
  /** `a.b` as `["a", "b"]`; empty for `from . import c`. */
  module: string[];
  names: string[];
}

export function importsOf(code: string): Import[] {
  const lines = withoutText(code)
    .split(/[\n;]/)
    .filter((line) => line.includes("import"));
  // An import may follow a colon: `if x: import y`.
  return lines.flatMap((line) => line.split(/:(?=\s*(?:import|from)\b)/)).flatMap(readStatement);
}

function readStatement(line: string): Import[] {
  // `a . b` equals `a.b`. The lookbehind matches a run of blanks only at its start, to stay linear.
  const text = line.trim().replaceAll(/(?<!\s)\s+(?=\.)|(?<=\.)\s+/g, "");
  if (/^import\s/.test(text))
    return nameList(text.slice("import".length)).map((name) => ({
      level: 0,
      module: name.split("."),
      names: [],
    }));
  const at = /^from\b/.test(text) ? text.search(/\bimport\b/) : -1;
  if (at === -1) return [];
  const [module = "", ...rest] = text.slice("from".length, at).trim().split(/\s+/);
  const level = /^\.*/.exec(module)?.[0].length ?? 0;
  const path = module.split(".").filter((part) => part !== "");
  const names = nameList(text.slice(at + "import".length));
  if (rest.length > 0 || level + path.length === 0) return [];
  return [{ level, module: path, names }];
}

function nameList(text: string): string[] {
  return text
    .replaceAll(/[()]/g, " ")
    .split(",")
    .map((part) => part.trim().split(/\s+/)[0] ?? "")
    .filter((name) => /^[\p{L}_][\p{L}\p{N}_.]*$/u.test(name));
}

/** Joins each statement into one line. */
function withoutText(code: string): string {
  let kept = "";
  let depth = 0;
  for (let at = 0; at < code.length; ) {
    const letter = code[at] as string;
    if (letter === "#") {
      at = endOfLine(code, at);
    } else if (letter === '"' || letter === "'") {
      at = endOfString(code, at);
      kept += "''";
    } else if (letter === "\\" && /^\\\r?\n/.test(code.slice(at, at + 3))) {
      at = code.indexOf("\n", at) + 1;
      kept += " ";
    } else {
      if ("([{".includes(letter)) depth += 1;
      if (")]}".includes(letter)) depth = Math.max(0, depth - 1);
      kept += letter === "\n" && depth > 0 ? " " : letter === "\r" ? "\n" : letter;
      at += 1;
    }
  }
  return kept;
}

function endOfLine(code: string, from: number): number {
  const end = code.indexOf("\n", from);
  return end === -1 ? code.length : end;
}

/** Also correct for raw strings, in which a backslash protects a quote too. */
function endOfString(code: string, from: number): number {
  const single = code[from] as string;
  const quote = code.startsWith(single.repeat(3), from) ? single.repeat(3) : single;
  for (let at = from + quote.length; at < code.length; at += code[at] === "\\" ? 2 : 1) {
    if (code.startsWith(quote, at)) return at + quote.length;
    // An unclosed string ends with its line, so that the rest is still scanned.
    if (quote.length === 1 && code[at] === "\n") return at;
  }
  return code.length;
}
