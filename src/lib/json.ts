// Checks foreign JSON as text before it is parsed: one pass, no recursion, and no more memory than the text.

export interface JsonBounds {
  maxDepth: number;
  maxValues: number;
  /** A field of the outermost object, or of `data` in it, whose value becomes a string with its JSON, uncounted. */
  raw?: string;
}

export type CheckedJson =
  /** For `JSON.parse`. */
  { type: "json"; text: string } | { type: "excess"; detail: string } | { type: "invalid" };

/** Beyond the standard a BOM is skipped, and a bare `NaN` or `Infinity`, which Python writes, becomes null. */
export function checkJson(text: string, { maxDepth, maxValues, raw }: JsonBounds): CheckedJson {
  const begin = text.charCodeAt(0) === BOM ? 1 : 0;
  const edits: Edit[] = [];
  const objects = new Uint8Array(maxDepth);
  let depth = 0;
  let values = 0;
  let due: Due = "value";
  let written: { depth: number; from: number; edits: number } | null = null;
  let isInData = false;

  for (let at = skipBlanks(text, begin); at < text.length; at = skipBlanks(text, at)) {
    const char = text.charCodeAt(at);
    const inObject = objects[depth - 1] === 1;
    if (due === "key" || (due === "key or end" && char !== BRACE_CLOSE)) {
      const end = char === QUOTE ? stringEnd(text, at) : INVALID;
      const colon = end === INVALID ? end : skipBlanks(text, end);
      if (colon === INVALID || text.charCodeAt(colon) !== COLON) return { type: "invalid" };
      const name = raw === undefined || depth > 2 || written !== null ? null : nameIn(text, at, end);
      at = colon + 1;
      if (name !== null && name === raw && (depth === 1 || isInData))
        written = { depth, from: skipBlanks(text, at), edits: edits.length };
      if (depth === 1) isInData = name === "data";
      due = "value";
      continue;
    }
    if (due === "value" || (due === "value or end" && char !== BRACKET_CLOSE)) {
      if (written === null && ++values > maxValues) return excess(`more than ${maxValues} values`);
      if (char === BRACE_OPEN || char === BRACKET_OPEN) {
        if (depth === maxDepth) return excess(`nested deeper than ${maxDepth} levels`);
        objects[depth++] = char === BRACE_OPEN ? 1 : 0;
        due = char === BRACE_OPEN ? "key or end" : "value or end";
        at += 1;
        continue;
      }
      const end = char === QUOTE ? stringEnd(text, at) : literalEnd(text, at);
      if (end === INVALID) return { type: "invalid" };
      if (isNotANumber(text, at)) edits.push({ from: at, to: end, text: "null" });
      if (edits.length > MAX_EDITS) return excess(`more than ${MAX_EDITS} NaN or Infinity values`);
      at = end;
    } else if (due === "comma or end" && char === COMMA && depth > 0) {
      due = inObject ? "key" : "value";
      at += 1;
      continue;
    } else {
      if (depth === 0 || char !== (inObject ? BRACE_CLOSE : BRACKET_CLOSE)) return { type: "invalid" };
      depth -= 1;
      at += 1;
    }
    due = "comma or end";
    if (written?.depth === depth) {
      const json = edited(text, written.from, at, edits.splice(written.edits));
      edits.push({ from: written.from, to: at, text: json === "null" ? json : JSON.stringify(json) });
      written = null;
    }
  }
  if (depth > 0 || due !== "comma or end") return { type: "invalid" };
  return { type: "json", text: edited(text, begin, text.length, edits) };
}

type Due = "value" | "value or end" | "key" | "key or end" | "comma or end";

interface Edit {
  from: number;
  to: number;
  text: string;
}

/** Bounds the memory of the edits. */
const MAX_EDITS = 100_000;
/** A longer name is compared without unescaping: `"\u0072esult"` is `result`. */
const MAX_NAME = 64;
const INVALID = -1;
const BOM = 0xfeff;
const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [BRACE_OPEN, BRACE_CLOSE, BRACKET_OPEN, BRACKET_CLOSE] = [0x7b, 0x7d, 0x5b, 0x5d];
const LITERAL = /true|false|null|NaN|-?Infinity|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const LETTER_U = 0x75;
const ESCAPED = table('"\\/bfnrt', () => 1);
const HEX = table("0123456789abcdefABCDEF", (digit) => Number.parseInt(digit, 16) + 1);

/** Replaces escaped NULs and lone surrogates by U+FFFD, in place: no text column accepts them. */
export function cleanJson(bytes: Buffer): void {
  if (!bytes.includes("\\u")) return;
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] !== BACKSLASH) continue;
    const unit = escapedUnit(bytes, at);
    if (unit === 0 || (unit >= 0xd800 && unit <= 0xdfff)) {
      const low = unit === 0 || unit >= 0xdc00 ? INVALID : escapedUnit(bytes, at + 6);
      if (low >= 0xdc00 && low <= 0xdfff) at += 6;
      else bytes.write("\\ufffd", at, "latin1");
    }
    at += unit === INVALID ? 1 : 5;
  }
}

/** The value of `\uXXXX` at this offset, or INVALID. */
function escapedUnit(bytes: Buffer, at: number): number {
  if (bytes[at] !== BACKSLASH || bytes[at + 1] !== LETTER_U || at + 6 > bytes.length) return INVALID;
  let unit = 0;
  for (let digit = at + 2; digit < at + 6; digit++) {
    const value = HEX[bytes[digit] ?? 0] ?? 0;
    if (value === 0) return INVALID;
    unit = unit * 16 + value - 1;
  }
  return unit;
}

function table(characters: string, entryOf: (character: string) => number): Uint8Array {
  const values = new Uint8Array(256);
  for (const character of characters) values[character.charCodeAt(0)] = entryOf(character);
  return values;
}

function excess(detail: string): CheckedJson {
  return { type: "excess", detail };
}

function edited(text: string, from: number, to: number, edits: Edit[]): string {
  if (edits.length === 0) return text.slice(from, to);
  const starts = [from, ...edits.map((edit) => edit.to)];
  return starts
    .map((start, index) => text.slice(start, edits[index]?.from ?? to) + (edits[index]?.text ?? ""))
    .join("");
}

function skipBlanks(text: string, from: number): number {
  for (let at = from; ; at++) {
    const char = text.charCodeAt(at);
    if (char !== 0x20 && char !== 0x0a && char !== 0x0d && char !== 0x09) return at;
  }
}

/** The offset after the closing quote, or INVALID. */
function stringEnd(text: string, from: number): number {
  for (let at = from + 1; ; at++) {
    const char = text.charCodeAt(at);
    if (char === QUOTE) return at + 1;
    if (char === BACKSLASH) {
      const escaped = text.charCodeAt(++at);
      if (escaped === LETTER_U) {
        for (let digit = 0; digit < 4; digit++) if (!HEX[text.charCodeAt(++at)]) return INVALID;
      } else if (!ESCAPED[escaped]) return INVALID;
    } else if (!(char >= 0x20)) return INVALID;
  }
}

function literalEnd(text: string, from: number): number {
  LITERAL.lastIndex = from;
  return LITERAL.test(text) ? LITERAL.lastIndex : INVALID;
}

function isNotANumber(text: string, at: number): boolean {
  return text[at] === "N" || text[at] === "I" || (text[at] === "-" && text[at + 1] === "I");
}

function nameIn(text: string, from: number, to: number): string {
  const name = text.slice(from + 1, to - 1);
  return name.length <= MAX_NAME && name.includes("\\") ? JSON.parse(text.slice(from, to)) : name;
}
