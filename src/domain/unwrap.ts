// Finds the texts inside a text: JSON in strings, percent-encoding, XML entities, readable base64. All within bounds.
import { type Budget, decodeBytes, isReadable, MAX_LAYERS } from "./decode-body.ts";

export interface Unwrapped {
  texts: string[];
  /** False: a bound was reached, or there is unreadable base64. */
  isWhole: boolean;
}

export function unwrapText(given: string, budget: Budget): Unwrapped {
  const texts = [given];
  let isWhole = true;
  let level = texts.slice();
  for (let layer = 0; level.length > 0; layer++) {
    const next: string[] = [];
    for (const text of level) {
      const inner = innerTexts(text, budget);
      isWhole &&= inner.isWhole;
      for (const found of inner.texts) {
        budget.left -= found.length;
        if (layer === MAX_LAYERS || budget.left < 0) isWhole = false;
        else next.push(found);
      }
    }
    texts.push(...next);
    level = next;
  }
  return { texts, isWhole };
}

function innerTexts(text: string, budget: Budget): Unwrapped {
  if (budget.left < 0) return { texts: [], isWhole: false };
  const { texts, isWhole } = base64Texts(text, budget);
  const decoded = [unescaped(text), percentDecoded(text), withoutEntities(text)];
  return { texts: [...decoded.filter((result) => result !== text), ...texts], isWhole };
}

function unescaped(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(/\\(?:u([0-9a-fA-F]{4})|([^u]))/g, (_, unit, char) =>
    unit === undefined ? (WHITE[char] ?? char) : String.fromCharCode(Number.parseInt(unit, 16)),
  );
}

const WHITE: Record<string, string | undefined> = { n: "\n", r: "\r", t: "\t", b: "\b", f: "\f" };

/** Decodes as for a form, where a plus is a space. Invalid UTF-8 gives U+FFFD. */
export function percentDecoded(text: string): string {
  if (!/%[0-9a-fA-F]{2}/.test(text)) return text;
  return text
    .replaceAll("+", " ")
    .replace(/(?:%[0-9a-fA-F]{2})+/g, (run) => Buffer.from(run.replaceAll("%", ""), "hex").toString("utf8"));
}

function withoutEntities(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(
    /&(?:#(\d{1,6})|#[xX]([0-9a-fA-F]{1,6})|(quot|apos|amp|lt|gt));/g,
    (_, decimal, hex, name) => {
      if (name !== undefined) return ENTITIES[name] ?? "";
      const point = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
      return point <= 0x10ffff ? String.fromCodePoint(point) : "";
    },
  );
}

const ENTITIES: Record<string, string | undefined> = { quot: '"', apos: "'", amp: "&", lt: "<", gt: ">" };

/** Sequences of base64, folded lines included. Ids and hashes look alike and are passed over. */
function base64Texts(text: string, budget: Budget): Unwrapped {
  const texts: string[] = [];
  let isWhole = true;
  for (const [run] of text.matchAll(BASE64)) {
    const inner = base64Text(run, budget);
    if (inner !== null) {
      texts.push(inner);
      continue;
    }
    // A path or another line may precede the base64.
    const parts = run.split(/[/\r\n]+/).filter((part) => part.length >= MIN_RUN && part !== run);
    const read = parts.map((part) => base64Text(part, budget)).filter((inner) => inner !== null);
    texts.push(...read);
    if (read.length === 0 && run.length > MAX_UNREAD) isWhole = false;
  }
  return { texts, isWhole };
}

export function base64Text(run: string, budget: Budget): string | null {
  const bytes = Buffer.from(run, "base64");
  const decoded = decodeBytes(bytes, budget);
  if (decoded.type !== "text" || decoded.text === "") return null;
  return decoded.layers.length > 0 || isReadable(bytes) ? decoded.text : null;
}

const MIN_RUN = 16;
/** A longer sequence is no id and no hash: it has content. */
const MAX_UNREAD = 256;
const BASE64 = /[A-Za-z0-9+/_-]{16,}(?:\r?\n[A-Za-z0-9+/_-]+)*/g;
