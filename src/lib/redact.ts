// Hides given values in texts, in every spelling in which they may occur.

export const HIDDEN = "[hidden]";

export interface Hider {
  /**
   * Overlapping values share one label; a value that only begins before `end` is hidden, too. @throws TooMuchToHide
   */
  hide(text: string, end?: number): string;
  /** Hides the beginning of a value at the end of a text that was cut off. */
  hideEnd(text: string): string;
  isValue(text: string): boolean;
}

/** The search for the values would take too long. */
export class TooMuchToHide extends Error {}

export function createHider(labels: ReadonlyMap<string, string>): Hider {
  const byHead = new Map<string, { value: string; label: string }[]>();
  /** By hash of the first two characters: at most offsets of a text no value begins. */
  const begins = new Uint8Array(65_536);
  let work = 0;
  for (const [given, label] of labels) {
    if (given.length < MIN_LENGTH) continue;
    for (const value of spellings(given)) {
      spend(value.length);
      const head = value.slice(0, MIN_LENGTH);
      const same = byHead.get(head);
      if (same === undefined) byHead.set(head, [{ value, label }]);
      else same.push({ value, label });
      begins[hashAt(value, 0)] = 1;
    }
  }
  // The longest value first: a shorter value may be its prefix.
  for (const same of byHead.values()) same.sort((a, b) => b.value.length - a.value.length);

  function spend(amount: number): void {
    work += amount;
    if (work > MAX_WORK) throw new TooMuchToHide("too much to search");
  }

  function valueAt(text: string, at: number) {
    if (begins[hashAt(text, at)] === 0) return undefined;
    return byHead.get(text.slice(at, at + MIN_LENGTH))?.find(({ value }) => {
      spend(value.length);
      return text.startsWith(value, at);
    });
  }

  return {
    hide(text, end = text.length) {
      if (byHead.size === 0) return text.slice(0, end);
      spend(Math.min(text.length, end));
      let shown = "";
      let from = 0;
      for (let at = 0; at < end && at + MIN_LENGTH <= text.length; at++) {
        const found = valueAt(text, at);
        if (found === undefined) continue;
        if (at >= from) shown += text.slice(from, at) + found.label;
        from = Math.max(from, at + found.value.length);
      }
      return shown + text.slice(from, Math.max(from, end));
    },
    hideEnd(text) {
      for (let at = Math.max(0, text.length - MAX_END); at + MIN_LENGTH <= text.length; at++) {
        const end = text.slice(at);
        const begun = byHead.get(end.slice(0, MIN_LENGTH))?.find(({ value }) => value.startsWith(end));
        if (begun !== undefined) return text.slice(0, at) + begun.label;
      }
      return text;
    },
    isValue: (text) => labels.has(text),
  };
}

/**
 * Hides given values, tokens and URLs. Text that cannot be searched in good time is cut off: less, with more secrets.
 */
export function redact(text: string, secrets: readonly string[], maxLength = MAX_TEXT): string {
  const distinct = new Set(secrets.filter((secret) => secret.length >= MIN_LENGTH));
  if (distinct.size > MAX_SECRETS) return HIDDEN;
  const limit = Math.min(maxLength, Math.floor(MAX_REDACTED / Math.max(distinct.size, 1)));
  try {
    const hider = createHider(new Map([...distinct].map((secret) => [secret, HIDDEN])));
    const shown = hideTokens(hider.hide(text, limit));
    return text.length > limit ? `${shown}…` : shown;
  } catch (error) {
    if (error instanceof TooMuchToHide) return HIDDEN;
    throw error;
  }
}

const MAX_TEXT = 1024 * 1024;
const MAX_SECRETS = 10_000;
/** Characters of a text, times the number of secrets. */
const MAX_REDACTED = 16 * 1024 * 1024;

function hideTokens(text: string): string {
  return text
    .replace(/[^\s"'<>]+/g, hideUrl)
    .replace(/\blk_\w+|\bwhsec_\S+|\beyJ[\w.-]+/g, HIDDEN)
    .replace(/\b(bearer)\s+\S+/gi, `$1 ${HIDDEN}`);
}

/** Hides a URL in `word`, which has no blanks, from the scheme on. */
function hideUrl(word: string): string {
  const colon = word.indexOf("://");
  if (colon === -1) return word;
  let start = colon;
  while (start > 0 && /[a-z0-9+.-]/i.test(word[start - 1] ?? "")) start -= 1;
  return `${word.slice(0, start)}[url]`;
}

/** Shorter values occur in any text by chance. */
const MIN_LENGTH = 4;
/** Characters compared in all. */
const MAX_WORK = 32 * 1024 * 1024;
const MAX_END = 1024;

function hashAt(text: string, at: number): number {
  return (text.charCodeAt(at) * 31 + text.charCodeAt(at + 1)) & 0xffff;
}

/** The value as JSON, JSON in JSON, a form, a URL, XML and base64 spell it. */
function spellings(value: string): Set<string> {
  const json = escaped(value);
  const percent = encodeURIComponent(value.toWellFormed());
  return new Set([
    value,
    json,
    escaped(json),
    inAscii(json),
    escaped(inAscii(json)),
    percent,
    percent.replaceAll("%20", "+"),
    value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;"),
    ...(value.length < MIN_BASE64 ? [] : base64Spellings(value)),
  ]);
}

function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function inAscii(json: string): string {
  return json.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Base64 of the value at each of the three alignments, without the characters shared with neighbouring bytes. */
function base64Spellings(value: string): string[] {
  const bytes = Buffer.from(value);
  return [0, 1, 2].flatMap((offset) => {
    const whole = Buffer.concat([Buffer.alloc(offset), bytes]);
    const begin = Math.ceil((offset * 4) / 3);
    const end = Math.floor((whole.length * 4) / 3);
    return (["base64", "base64url"] as const).map((alphabet) => whole.toString(alphabet).slice(begin, end));
  });
}

const MIN_BASE64 = 6;
