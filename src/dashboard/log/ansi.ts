// Colours in logs: ANSI escape sequences become classes. Sequences that do anything else are dropped.

export interface Piece {
  text: string;
  style: string;
}

/** Sequences of the control characters ESC [ … letter, and ESC ] … BEL; both bounded. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are control characters
const SEQUENCE = /\u001b(?:\[([\d;]{0,40})([A-Za-z])|\][^\u0007\u001b]{0,200}(?:\u0007|\u001b\\)|[@-Z\\-_])/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f]/g;

export function piecesOf(line: string): Piece[] {
  // A carriage return writes over what stands before it, as progress bars do.
  const visible = line.slice(line.replace(/\r+$/, "").lastIndexOf("\r") + 1).replace(/\r+$/, "");
  if (!visible.includes("\u001b")) return [{ text: visible.replace(CONTROLS, ""), style: "" }];
  const pieces: Piece[] = [];
  let state: State = { fg: "", bg: "", bold: false, faint: false };
  let at = 0;
  const push = (text: string) => {
    const clean = text.replace(CONTROLS, "");
    if (clean !== "") pieces.push({ text: clean, style: styleOf(state) });
  };
  for (const found of visible.matchAll(SEQUENCE)) {
    push(visible.slice(at, found.index));
    at = found.index + found[0].length;
    if (found[2] === "m") state = apply(state, (found[1] ?? "").split(";").map(Number));
  }
  push(visible.slice(at));
  return pieces;
}

export function plain(line: string): string {
  return piecesOf(line)
    .map(({ text }) => text)
    .join("");
}

interface State {
  fg: string;
  bg: string;
  bold: boolean;
  faint: boolean;
}

function apply(before: State, codes: number[]): State {
  const state = { ...before };
  for (let index = 0; index < codes.length; index++) {
    const code = codes[index] ?? 0;
    if (code === 0) Object.assign(state, { fg: "", bg: "", bold: false, faint: false });
    else if (code === 1) state.bold = true;
    else if (code === 2) state.faint = true;
    else if (code === 22) Object.assign(state, { bold: false, faint: false });
    else if (code >= 30 && code <= 37) state.fg = `fg${code - 30}`;
    else if (code >= 90 && code <= 97) state.fg = `fg${code - 90}`;
    else if (code === 39) state.fg = "";
    else if (code >= 40 && code <= 47) state.bg = `bg${code - 40}`;
    else if (code >= 100 && code <= 107) state.bg = `bg${code - 100}`;
    else if (code === 49) state.bg = "";
    else if (code === 38 || code === 48) {
      // 256 and true colours are reduced to the nearest of the eight that the style sheet knows.
      const isIndexed = codes[index + 1] === 5;
      const near = isIndexed ? (codes[index + 2] ?? 7) % 8 : nearest(codes.slice(index + 2, index + 5));
      if (code === 38) state.fg = `fg${near}`;
      else state.bg = `bg${near}`;
      index += isIndexed ? 2 : 4;
    }
  }
  return state;
}

/** One bit for each of red, green and blue. */
function nearest([r = 0, g = 0, b = 0]: number[]): number {
  return (r > 127 ? 1 : 0) + (g > 127 ? 2 : 0) + (b > 127 ? 4 : 0);
}

function styleOf({ fg, bg, bold, faint }: State): string {
  return [fg, bg, bold ? "bold" : "", faint ? "faint" : ""].filter(Boolean).join(" ");
}
