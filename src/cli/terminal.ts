// Text for a terminal. Names, values, logs and errors are foreign text, so control sequences in them are escaped.
export interface Screen {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

export function print(text: string): void {
  process.stdout.write(`${shownOn(process.stdout, text)}\n`);
}

export function printError(text: string): void {
  process.stderr.write(`${shownOn(process.stderr, text)}\n`);
}

/** A pipe gets the text unchanged. @param keepsColours keeps sequences for colours and weights */
export function shownOn({ isTTY }: Screen, text: string, keepsColours = false): string {
  if (isTTY !== true) return text;
  return text.replaceAll(CONTROL, (found) =>
    keepsColours && ONLY_COLOUR.test(found) ? found : escaped(found),
  );
}

const COLOUR = String.raw`\u001b\[[\d;]{0,40}m`;
/** Control sequences, and marks that break lines or change the text direction. */
const CONTROL = new RegExp(
  String.raw`${COLOUR}|(?![\t\n])\p{Cc}|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]`,
  "gu",
);
const ONLY_COLOUR = new RegExp(`^${COLOUR}$`);

/** Escapes like JSON, so that JSON stays valid. */
function escaped(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
