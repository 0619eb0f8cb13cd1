// The token of a callback URL opens one execution, under any secret in force, and nothing else does.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { callbackToken, isCallbackToken } from "../../src/domain/callback-token.ts";

const token = callbackToken("new", "exe_1");

test("every token has the same length and fits into a path", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (secret, id) => {
      expect(callbackToken(secret, id)).toMatch(/^[A-Za-z0-9_-]{43}$/);
    }),
  );
});

test("a token is valid for its execution and no other", () => {
  expect(isCallbackToken(["new"], "exe_1", token)).toBe(true);
  expect(isCallbackToken(["new"], "exe_2", token)).toBe(false);
  expect(isCallbackToken(["new"], "", token)).toBe(false);
});

test("after a rotation the tokens of all secrets in force are accepted, wherever in the list they stand", () => {
  const old = callbackToken("old", "exe_1");
  expect([token, old].map((one) => isCallbackToken(["new", "older", "old"], "exe_1", one))).toEqual([
    true,
    true,
  ]);
  expect(isCallbackToken(["new"], "exe_1", old)).toBe(false);
});

test("without a secret nothing is accepted", () => {
  expect(isCallbackToken([], "exe_1", token)).toBe(false);
});

describe("an invalid token is refused without an exception:", () => {
  const mistaken = {
    nothing: "",
    "one character too few": token.slice(0, -1),
    "one character too many": `${token}A`,
    "a blank behind it": `${token} `,
    "another case": token.toLowerCase() === token ? token.toUpperCase() : token.toLowerCase(),
    "characters of several bytes": "é".repeat(43),
    "characters outside the basic plane": "😀".repeat(22),
    "half a surrogate pair": "\ud83d".repeat(43),
    "one character of several bytes": `${token.slice(0, -1)}é`,
    "a very long text": "A".repeat(1_000_000),
  };
  test.each(Object.entries(mistaken))("%s", (_what, given) => {
    expect(isCallbackToken(["new", "old"], "exe_1", given)).toBe(false);
  });

  test("any other text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), (given) => {
        expect(isCallbackToken(["new"], "exe_1", given)).toBe(given === token);
      }),
    );
  });
});
