// Makes Lyceum's error messages fit to be shown: readable, short, and without secrets.
import { isObject, readText } from "./lenient-values.ts";

const MAX_SHOWN = 400;
/** Enough for any honest message. */
const MAX_READ = 4_000;
const MAX_ISSUES = 100;

const MAX_TEXT = 1024 * 1024;
const MAX_SECRETS = 10_000;
/** Characters that are compared: secrets times length of the text. */
const MAX_WORK = 16 * 1024 * 1024;

/** One line such as `422: body.timeout: Input should be less than or equal to 600`. */
export function errorDetail(status: number, words: string, secrets: string[]): string {
  const said = redact(words, secrets, MAX_READ);
  return clip(said === "" ? `${status}` : `${status}: ${said}`);
}

/**
 * Hides given values, and whatever looks like a token or a URL (a callback's URL is a secret). What is longer than can
 * be looked at in good time, the more secrets the less, is cut off.
 */
export function redact(text: string, secrets: string[], maxLength = MAX_TEXT): string {
  const distinct = new Set(secrets.filter((secret) => secret.length > 3));
  if (distinct.size > MAX_SECRETS) return "[hidden]";
  const limit = Math.min(maxLength, Math.floor(MAX_WORK / Math.max(distinct.size, 1)));
  const shown = hideValues(text, distinct, limit)
    .replace(/[^\s"'<>]+/g, hideUrl)
    .replace(/\blk_\w+|\bwhsec_\S+|\beyJ[\w.-]+/g, "[hidden]")
    .replace(/\b(bearer)\s+\S+/gi, "$1 [hidden]");
  return text.length > limit ? `${shown}…` : shown;
}

/** The first `limit` characters. A value that begins within them is hidden whole, even if it ends behind them. */
function hideValues(text: string, values: Set<string>, limit: number): string {
  const end = Math.min(text.length, limit);
  const isHidden = new Uint8Array(end);
  for (const value of values) hideValue(text.slice(0, end + value.length - 1), value, isHidden);
  let shown = "";
  for (let at = 0; at < end; ) {
    const change = isHidden.indexOf(isHidden[at] === 1 ? 0 : 1, at);
    const next = change === -1 ? end : change;
    shown += isHidden[at] === 1 ? "[hidden]" : text.slice(at, next);
    at = next;
  }
  return shown;
}

/** One pass [Knuth, Morris, Pratt]: the built-in search starts over in texts that repeat themselves. */
function hideValue(text: string, value: string, isHidden: Uint8Array): void {
  const first = text.indexOf(value.slice(0, 32));
  if (first === -1 || value.length > text.length - first) return;
  const borders = bordersOf(value);
  let matched = 0;
  let hiddenTo = 0;
  for (let at = first; at < text.length; at += 1) {
    matched = extend(value, borders, matched, text.charCodeAt(at));
    if (matched < value.length) continue;
    isHidden.fill(1, Math.max(at + 1 - matched, hiddenTo), at + 1);
    hiddenTo = at + 1;
    matched = borders[matched - 1] ?? 0;
  }
}

/** For each prefix of `value`, the length of its longest suffix that is a prefix of `value`, too. */
function bordersOf(value: string): Uint32Array {
  const borders = new Uint32Array(value.length);
  for (let at = 1; at < value.length; at += 1)
    borders[at] = extend(value, borders, borders[at - 1] ?? 0, value.charCodeAt(at));
  return borders;
}

function extend(value: string, borders: Uint32Array, matched: number, unit: number): number {
  let length = matched;
  while (length > 0 && value.charCodeAt(length) !== unit) length = borders[length - 1] ?? 0;
  return value.charCodeAt(length) === unit ? length + 1 : length;
}

/** Hides a URL in `word`, which has no blanks, from the scheme on. */
function hideUrl(word: string): string {
  const colon = word.indexOf("://");
  if (colon === -1) return word;
  let start = colon;
  while (start > 0 && /[a-z0-9+.-]/i.test(word[start - 1] ?? "")) start -= 1;
  return `${word.slice(0, start)}[url]`;
}

/** Reads the message in any known form of an error: FastAPI's list, a text, an object, the old envelope's `errors`. */
export function errorMessageIn(answer: unknown): string {
  if (typeof answer === "string") return answer;
  if (!isObject(answer)) return Array.isArray(answer) ? issues(answer) : "";
  if (Array.isArray(answer.detail)) return issues(answer.detail);
  const plain = readText(answer.detail) ?? readText(answer.message) ?? readText(answer.error) ?? "";
  return [plain, Array.isArray(answer.errors) ? issues(answer.errors) : ""].filter((part) => part).join("; ");
}

/** Shows only location and message: `input` and `ctx` can echo the request [FastAPI]. */
function issues(list: unknown[]): string {
  const lines = list.slice(0, MAX_ISSUES).map((issue) => {
    if (!isObject(issue)) return readText(issue) ?? "";
    const location = Array.isArray(issue.loc) ? issue.loc.filter(isStep).join(".") : readText(issue.field);
    const message = readText(issue.msg) ?? readText(issue.message) ?? "invalid";
    return location ? `${location}: ${message}` : message;
  });
  return lines.filter((line) => line !== "").join("; ");
}

function isStep(step: unknown): step is string | number {
  return typeof step === "string" || typeof step === "number";
}

/** Undefined if the text is not JSON, as expected of a proxy's answer. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function clip(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > MAX_SHOWN ? `${line.slice(0, MAX_SHOWN - 1)}…` : line;
}
