// Reads single values leniently: every form that Lyceum was seen to send, anything else becomes null.

/**
 * Epoch ms. Zones, no zone (UTC), microseconds and Unix numbers were seen within one account; logs may have Loki's
 * nanoseconds [docs/observability/logs]. A value outside of this century may be another system's zero.
 */
export function readTime(value: unknown): number | null {
  const at = readAnyTime(value);
  return at !== null && at >= CENTURY.from && at < CENTURY.to ? at : null;
}

const CENTURY = { from: Date.UTC(2000, 0, 1), to: Date.UTC(2100, 0, 1) };

function readAnyTime(value: unknown): number | null {
  if (typeof value === "number") return fromUnix(value);
  if (typeof value !== "string") return null;
  const text = value.trim();
  if (/^\d+(\.\d+)?$/.test(text)) return fromUnix(Number(text));
  const parts = ISO.exec(text);
  if (!parts) return null;
  const [, date, time = "00:00", seconds = "00", fraction = "", zone = "Z"] = parts;
  const milliseconds = `${fraction}000`.slice(0, 3);
  const offset = /^[+-]/.test(zone) ? `${zone.slice(0, 3)}:${zone.slice(3).replace(":", "") || "00"}` : "Z";
  const at = Date.parse(`${date}T${time}:${seconds}.${milliseconds}${offset}`);
  return Number.isNaN(at) ? null : at;
}

export function readNumber(value: unknown): number | null {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value !== "string" || value.trim() === "") return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}

/** 32 bits, signed or, as on Windows, unsigned. */
export function readReturnCode(value: unknown): number | null {
  const number = readNumber(value);
  return Number.isInteger(number) && number !== null && number >= -(2 ** 31) && number < 2 ** 32
    ? number
    : null;
}

/** A text, a list of texts, or the message of an object. `depth` bounds the nesting. */
export function readText(value: unknown, depth = 4): string | null {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (depth === 0) return null;
  if (Array.isArray(value)) {
    const lines = value.map((item) => readText(item, depth - 1)).filter((line) => line !== null);
    return lines.length > 0 ? lines.join("\n") : null;
  }
  if (!isObject(value)) return null;
  return readText(value.message ?? value.msg ?? value.error ?? value.detail, depth - 1);
}

/** Live output was seen under HTTP and WebSocket [introduction, 2025] [cli]. */
export function readUrl(value: unknown): string | null {
  if (typeof value !== "string" || value.length > MAX_URL) return null;
  const url = URL.parse(value.trim());
  return url !== null && /^(?:https?|wss?):$/.test(url.protocol) ? url.href : null;
}

const MAX_URL = 2_048;

export function readName(value: unknown): string | null {
  if (typeof value !== "string" && typeof value !== "number") return null;
  return String(value).trim() || null;
}

/** Exactly Lyceum's: a number beyond 2^53 was rounded, and U+FFFD stands for characters that could not be kept. */
export function readId(value: unknown): string | null {
  if (typeof value === "number") return Number.isSafeInteger(value) && value >= 0 ? String(value) : null;
  if (typeof value !== "string") return null;
  const id = value.trim();
  return id !== "" && id.length <= MAX_ID && !NO_ID.test(id) ? id : null;
}

const MAX_ID = 200;
const NO_ID = /^\.\.?$|[/\\\p{Cc}\p{Cs}\u2028\u2029\ufffd]/u;

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const ISO =
  /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:[.,](\d+))?)?)?\s*(Z|z|UTC|[+-]\d\d(?::?\d\d)?)?$/;

/** Seconds, milliseconds, microseconds or nanoseconds, told apart by their size (years 1973 to 5138). */
export function fromUnix(value: number): number | null {
  if (!Number.isFinite(value) || value <= 0) return null;
  if (value < 1e11) return Math.floor(value * 1000);
  if (value < 1e14) return Math.floor(value);
  return Math.floor(value < 1e17 ? value / 1e3 : value / 1e6);
}
