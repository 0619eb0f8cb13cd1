import { expect, test } from "vitest";
import { shownOn } from "../../src/cli/terminal.ts";

const terminal = { write: () => true, isTTY: true };
const pipe = { write: () => true };

test.each([
  ["an escape sequence that retitles the window", "\x1b]0;owned\x07", "\\u001b]0;owned\\u0007"],
  ["one that clears the screen", "\x1b[2Ja", "\\u001b[2Ja"],
  ["C1 controls", "a\u009b31mb", "a\\u009b31mb"],
  ["a return that overwrites the line", "safe\rnot", "safe\\u000dnot"],
  ["marks that turn the reading direction", "abc\u202egpj.exe\u2066", "abc\\u202egpj.exe\\u2066"],
  ["DEL and NUL", "\x7f\0", "\\u007f\\u0000"],
])("on a terminal %s is shown, not obeyed", (_, text, shown) => {
  expect(shownOn(terminal, text)).toBe(shown);
  expect(shownOn(pipe, text)).toBe(text);
});

test("tabs, line feeds and letters of every script stay as they are", () => {
  const text = "a\tb\nгрüß 日本 🙂";
  expect(shownOn(terminal, text)).toBe(text);
});

test("colours go through only when they are asked for, and nothing else with them", () => {
  const text = "\x1b[1;31mred\x1b[0m\x1b[2J";
  expect(shownOn(terminal, text, true)).toBe("\x1b[1;31mred\x1b[0m\\u001b[2J");
  expect(shownOn(terminal, text)).toBe("\\u001b[1;31mred\\u001b[0m\\u001b[2J");
});

test("JSON that is shown on a terminal is still the same JSON", () => {
  const document = { name: "a\u009b\u202e\x7f" };
  expect(JSON.parse(shownOn(terminal, JSON.stringify(document)))).toEqual(document);
});
