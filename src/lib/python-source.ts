// Inserts a statement at the head of Python code, at the first position that Python allows.

/**
 * Adds a statement that runs before all others, after the docstring and the `from __future__` imports.
 * The statement shares a line with the code there, so that line numbers in tracebacks stay true; only code that opens
 * with a compound statement moves down by one line. Running the original by `exec` would hide the source from readers
 * (Lyceum recommends hardware from it), so `exec` is used only for a head that cannot be followed.
 */
export function withStatement(code: string, statement: string): string {
  const { end, hasStatement } = readHead(code);
  const [before, after] = [code.slice(0, end), code.slice(end)];
  if (LATE_FUTURE.test(after)) return `${statement}; ${runOriginal(code)}\n`;
  if (hasStatement) return `${before}; ${statement}${after}`;
  return `${before}${statement}${COMPOUND.test(after) ? "\n" : "; "}${after}`;
}

const LATE_FUTURE = /(^|[;\r\n])[ \t\f]*from[ \t\f\\\r\n]+__future__/;
/** Code that cannot follow a `;`: compound statements, magics of notebooks, an (illegal) indent. */
const COMPOUND = /^(?:[@%!? \t\r\n]|(?:async|class|def|for|if|match|try|while|with)\b)/;

/** `compile` takes no byte order mark, and the flags of this module are not the code's. */
function runOriginal(code: string): string {
  return `exec(compile(${pythonValue(code.replace(/^\uFEFF/, ""))}, "<code>", "exec", dont_inherit=True))`;
}

/**
 * A Python expression for any JSON value, in ASCII so that Python joins surrogates: JSON within a literal that is JSON.
 */
export function pythonValue(value: unknown): string {
  const ascii = JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `__import__("json").loads(${JSON.stringify(ascii)})`;
}

interface Head {
  /** Offset for the inserted statement. */
  end: number;
  /** True if a docstring or a future import ends there; false if the first other statement begins there. */
  hasStatement: boolean;
}

/** The head of a module [docs.python.org/3/reference/simple_stmts.html#future-statements], in one pass. */
function readHead(code: string): Head {
  let at = skipBlank(code, code.startsWith("\uFEFF") ? 1 : 0);
  let end = docstringEnd(code, at) ?? futureEnd(code, at);
  let head: Head = { end: at, hasStatement: false };
  while (end !== null) {
    const next = nextStatement(code, end);
    if (next === null) return head;
    head = { end, hasStatement: true };
    at = next;
    end = futureEnd(code, at);
  }
  return head;
}

function skipBlank(code: string, from: number): number {
  const line = /(?:#[^\r\n]*)?(?:\r\n|\r|\n)/y;
  for (let at = from; ; ) {
    const end = matchEnd(line, code, skipSpace(code, at, false));
    if (end === null) return at;
    at = end;
  }
}

/** The offset after blanks and joined lines and, in brackets, line ends and comments. */
function skipSpace(code: string, from: number, inBrackets: boolean): number {
  const space = inBrackets
    ? /(?:[ \t\f\r\n]+|\\(?:\r\n|\r|\n)|#[^\r\n]*)/y
    : /(?:[ \t\f]+|\\(?:\r\n|\r|\n))/y;
  let at = from;
  for (let end = matchEnd(space, code, at); end !== null; end = matchEnd(space, code, at)) at = end;
  return at;
}

/** The offset of the statement after the one that ends at `end`; null if no statement ends there. */
function nextStatement(code: string, end: number): number | null {
  let at = skipSpace(code, end, false);
  if (code[at] === ";") {
    at = skipSpace(code, at + 1, false);
    if (!/[#\r\n]/.test(code[at] ?? "\n")) return at;
  }
  const line = matchEnd(/(?:#[^\r\n]*)?(?:\r\n|\r|\n|$)/y, code, at);
  return line === null ? null : skipBlank(code, line);
}

function futureEnd(code: string, from: number): number | null {
  let at = from;
  for (const word of ["from", "__future__", "import"]) {
    const end = matchEnd(new RegExp(`${word}\\b`, "y"), code, at);
    if (end === null) return null;
    at = skipSpace(code, end, false);
  }
  const inBrackets = code[at] === "(";
  if (inBrackets) at += 1;
  let end: number | null = null;
  for (let next = skipSpace(code, at, inBrackets); ; next = skipSpace(code, at, inBrackets)) {
    const name = matchEnd(/\w+/y, code, next);
    if (name === null && code[next] !== ",") return inBrackets ? (code[next] === ")" ? next + 1 : null) : end;
    at = name ?? next + 1;
    end = name ?? end;
  }
}

/** Adjacent strings are one docstring, with or without brackets around them. */
function docstringEnd(code: string, from: number): number | null {
  let at = code[from] === "\\" ? skipSpace(code, from, false) : from;
  let depth = 0;
  for (; code[at] === "("; depth += 1) at = skipSpace(code, at + 1, true);
  let end: number | null = null;
  for (
    let next = stringEnd(code, at);
    next !== null;
    next = stringEnd(code, skipSpace(code, next, depth > 0))
  )
    end = next;
  for (; end !== null && depth > 0; depth -= 1) {
    const close = skipSpace(code, end, true);
    end = code[close] === ")" ? close + 1 : null;
  }
  return end;
}

/** A loop instead of a pattern: a docstring may be too long for a pattern's backtracking. */
function stringEnd(code: string, from: number): number | null {
  const open = /[rRuU]?("""|'''|"|')/y;
  open.lastIndex = from;
  const quote = open.exec(code)?.[1];
  if (quote === undefined) return null;
  for (let at = open.lastIndex; at < code.length; at += 1) {
    if (code.startsWith(quote, at)) return at + quote.length;
    if (code[at] === "\\") at += code.startsWith("\r\n", at + 1) ? 2 : 1;
    else if (quote.length === 1 && /[\r\n]/.test(code[at] ?? "")) return null;
  }
  return null;
}

function matchEnd(sticky: RegExp, code: string, at: number): number | null {
  sticky.lastIndex = at;
  return sticky.test(code) ? sticky.lastIndex : null;
}
