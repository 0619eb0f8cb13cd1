// Putting a statement of ours in front of somebody's Python code, where Python allows one.

/**
 * The code with one more statement that runs before anything else.
 *
 * The statement goes after the leading comments, the docstring and the `from __future__` imports. It shares a line
 * with what stands there, so that the line numbers of a traceback stay true; only code that opens with a compound
 * statement (`def`, `for`, `@`…) moves down by one line. Running the original text by `exec` would be simpler, but
 * hides it from whoever reads the source (Lyceum recommends hardware from it) and from tracebacks; it is the way out
 * for a head that cannot be followed (future imports in unusual places).
 */
export function withStatement(code: string, statement: string): string {
  const { end, hasStatement } = readHead(code);
  const [before, after] = [code.slice(0, end), code.slice(end)];
  if (LATE_FUTURE.test(after)) return `${statement}; ${runOriginal(code)}\n`;
  if (hasStatement) return `${before}; ${statement}${after}`;
  return `${before}${statement}${COMPOUND.test(after) ? "\n" : "; "}${after}`;
}

const LATE_FUTURE = /(^|[;\r\n])[ \t\f]*from[ \t\f\\\r\n]+__future__/;
/** What cannot follow a `;`: compound statements, magics of notebooks, an (illegal) indent. */
const COMPOUND = /^(?:[@%!? \t\r\n]|(?:async|class|def|for|if|match|try|while|with)\b)/;

/** `compile` takes no byte order mark, and the flags of this module are not the code's. */
function runOriginal(code: string): string {
  return `exec(compile(${pythonValue(code.replace(/^\uFEFF/, ""))}, "<code>", "exec", dont_inherit=True))`;
}

/**
 * JSON twice: the inner one, in ASCII so that Python joins surrogates, carries any value; the outer one is a literal
 * that Python reads as JSON does. Independent of quotes, backslashes and the source's encoding.
 */
export function pythonValue(value: unknown): string {
  const ascii = JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `__import__("json").loads(${JSON.stringify(ascii)})`;
}

interface Head {
  /** Offset at which the statement may stand. */
  end: number;
  /** Whether a docstring or a future import ends there, rather than the first other statement beginning. */
  hasStatement: boolean;
}

/** The head of a module [docs.python.org/3/reference/simple_stmts.html#future-statements]. */
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

/** Past blank lines and lines of comment. */
function skipBlank(code: string, from: number): number {
  const line = /[ \t\f]*(?:#[^\r\n]*)?(?:\r\n|\r|\n)/y;
  let at = from;
  for (let end = matchEnd(line, code, at); end !== null; end = matchEnd(line, code, at)) at = end;
  return at;
}

/** Where the statement after the one that ends at `end` begins; null if nothing ends there. */
function nextStatement(code: string, end: number): number | null {
  const semicolon = matchEnd(/[ \t\f]*;[ \t\f]*(?![ \t\f\r\n#]|$)/y, code, end);
  if (semicolon !== null) return semicolon;
  const line = matchEnd(/[ \t\f]*;?[ \t\f]*(?:#[^\r\n]*)?(?:\r\n|\r|\n|$)/y, code, end);
  return line === null ? null : skipBlank(code, line);
}

function futureEnd(code: string, at: number): number | null {
  const names = /from[ \t\f]+__future__[ \t\f]+import(?:[ \t\f]*\([^()#]*\)|[ \t\f]+[\w, \t\f]*\w)/y;
  return matchEnd(names, code, at);
}

/** Strings side by side are one docstring. */
function docstringEnd(code: string, from: number): number | null {
  let end = stringEnd(code, from);
  for (let next = end; next !== null; next = stringEnd(code, matchEnd(/[ \t\f]*/y, code, next) ?? next))
    end = next;
  return end;
}

/** A loop and no pattern: a docstring may be longer than what a pattern can backtrack over. */
function stringEnd(code: string, from: number): number | null {
  const open = /[rRuU]?("""|'''|"|')/y;
  open.lastIndex = from;
  const quote = open.exec(code)?.[1];
  if (quote === undefined) return null;
  for (let at = open.lastIndex; at < code.length; at += code[at] === "\\" ? 2 : 1) {
    if (code.startsWith(quote, at)) return at + quote.length;
    if (quote.length === 1 && /[\r\n]/.test(code[at] ?? "")) return null;
  }
  return null;
}

function matchEnd(sticky: RegExp, code: string, at: number): number | null {
  sticky.lastIndex = at;
  return sticky.test(code) ? sticky.lastIndex : null;
}
