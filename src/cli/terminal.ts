// Text for a terminal. Names, values, logs and errors are other people's text: a terminal would obey what stands in it.
export interface Screen {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

/** Writes a line to stdout; on a terminal nothing in it is obeyed. */
export function print(text: string): void {
  process.stdout.write(`${shownOn(process.stdout, text)}\n`);
}

/** The same to stderr. */
export function printError(text: string): void {
  process.stderr.write(`${shownOn(process.stderr, text)}\n`);
}

/** A pipe gets the text as it is. @param keepsColours leaves sequences that only change colours and weights */
export function shownOn({ isTTY }: Screen, text: string, keepsColours = false): string {
  if (isTTY !== true) return text;
  return text.replaceAll(OBEYED, (found) =>
    keepsColours && ONLY_COLOUR.test(found) ? found : escaped(found),
  );
}

const COLOUR = String.raw`\u001b\[[\d;]{0,40}m`;
/** A colour sequence, a control character but tab and line feed, or a mark that breaks lines or turns the direction of reading. */
const OBEYED = new RegExp(
  String.raw`${COLOUR}|(?![\t\n])\p{Cc}|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]`,
  "gu",
);
const ONLY_COLOUR = new RegExp(`^${COLOUR}$`);

/** As JSON writes them, so that JSON stays JSON. */
function escaped(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
