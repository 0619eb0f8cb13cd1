// JSON of callers as written: keeps numbers that a double cannot hold, and compares values whatever their notation.

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A number that would come back in other digits (`1.0`, `1e400`, 20 digits) keeps its own text. */
export function parseAsWritten(text: string, parsed?: unknown): unknown {
  if (!MAY_CHANGE.test(text)) return parsed ?? JSON.parse(text);
  return json.parse(text, (_name, value: unknown, { source }: { source?: string }) =>
    typeof value === "number" && source !== undefined && String(value) !== source
      ? json.rawJSON(source)
      : value,
  );
}

/** Digits, exponents and trailing zeros that a double may not keep. Code in a string may match as well. */
const MAY_CHANGE = /\d{16}|\d[eE]|\.\d{0,400}0|-0/;

/** The same text for equal values, whatever the order of their fields. @param value from `parseAsWritten` */
export function canonicalJson(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (json.isRawJSON(value)) return canonicalNumber(JSON.stringify(value));
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${canonicalJson(field)}`).join(",")}}`;
}

/** `1.0` and `1` are equal. Numbers with more digits than a double keeps are compared as written. */
function canonicalNumber(source: string): string {
  const digits = source
    .replace(/[eE].*$/, "")
    .replace(/\D/g, "")
    .replace(/^0+/, "");
  const number = Number(source);
  return digits.length <= 15 && Number.isFinite(number) ? String(number) : source;
}

/** Not in the compiler's library yet [ECMA-262, JSON.parse source text access]. */
const json = JSON as unknown as {
  parse(
    text: string,
    reviver: (name: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): unknown;
  isRawJSON(value: unknown): boolean;
};
