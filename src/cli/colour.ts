// Colours for a terminal. They carry no meaning of their own: the words stay.
import type { Command } from "commander";
import type { Screen } from "./terminal.ts";

/** No colours in a pipe, with NO_COLOR [no-color.org], on a dumb terminal, or with `--no-color`. */
export function isColoured({ isTTY }: Screen, option = true, env: NodeJS.ProcessEnv = process.env): boolean {
  return isTTY === true && option && !env.NO_COLOR && env.TERM !== "dumb";
}

const codes: Record<string, number> = {
  succeeded: 32,
  failed: 31,
  cancelled: 33,
  active: 36,
  collecting: 36,
};

/** @param text escaped for the terminal already */
export function colourStatuses(text: string): string {
  return text.replaceAll(/\b(?:succeeded|failed|cancelled|active|collecting)\b/g, (word) => {
    return `\u001b[${codes[word] ?? 0}m${word}\u001b[0m`;
  });
}

export function withColourOption(command: Command): Command {
  return command.option("--no-color", "print without colours; NO_COLOR does the same");
}

/** Colours the statuses where stdout shows colours. */
export function coloured(text: string, option?: boolean): string {
  return isColoured(process.stdout, option) ? colourStatuses(text) : text;
}
