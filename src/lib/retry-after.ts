// Parses `Retry-After` (RFC 9110, 10.2.3) for Lyceum, webhooks and the client.
/** Milliseconds from `now` (epoch ms) on; 0 for a past date; null if the value is neither seconds nor an HTTP date. */
export function readRetryAfter(value: string | null | undefined, now: number): number | null {
  const text = value?.trim() ?? "";
  if (SECONDS.test(text)) return Math.min(Number(text) * 1000, Number.MAX_SAFE_INTEGER);
  const at = readHttpDate(text);
  return at === null ? null : Math.max(at - now, 0);
}

/** Epoch milliseconds; null for any other text: `Date.parse` alone would accept almost anything. */
export function readHttpDate(text: string): number | null {
  if (!HTTP_DATE.test(text)) return null;
  // The oldest form has no zone, and would be read as local time.
  const at = Date.parse(text.endsWith("GMT") ? text : `${text} GMT`);
  return Number.isNaN(at) ? null : at;
}

const SECONDS = /^\d+(?:\.\d+)?$/;
/** The current form and the two obsolete ones [RFC 9110 5.6.7]. */
const HTTP_DATE =
  /^(?:[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT|[A-Z][a-z]{5,8}, \d\d-[A-Z][a-z]{2}-\d\d \d\d:\d\d:\d\d GMT|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4})$/;
