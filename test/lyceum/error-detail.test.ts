import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { redact } from "../../src/lib/redact.ts";
import { errorDetail, errorMessageIn } from "../../src/lyceum/error-detail.ts";

const refusal = (detail: string, secrets: string[]) => errorDetail(422, errorMessageIn({ detail }), secrets);

describe("a secret is hidden", () => {
  test.each([
    ["alone", "s3cret", ["s3cret"], "[hidden]"],
    ["more than once", "a s3cret b s3cret", ["s3cret"], "a [hidden] b [hidden]"],
    ["within another one", "a s3cret-2 b", ["s3cret", "s3cret-2"], "a [hidden] b"],
    ["across another one", "abcdefgh", ["abcdef", "cdefgh"], "[hidden]"],
    ["that overlaps itself", "xababababay", ["ababa"], "x[hidden]y"],
    ["in the spelling of a URL", "at p%40ss word", ["p@ss"], "at [hidden] word"],
    ["in base64", "Basic dXNlcjpzM2NyZXQt", ["user:s3cret-"], "Basic [hidden]"],
    ["with blanks in it", "a b  c d", ["b  c"], "a [hidden] d"],
    ["unless it is too short to be one", "abc abcd", ["abc", "abcd"], "abc [hidden]"],
  ])("%s", (_, text, secrets, shown) => {
    expect(redact(text, secrets)).toBe(shown);
  });

  test("wherever it stands, whatever repeats itself around it", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "ab", " "), maxLength: 60 });
    const values = fc.array(fc.string({ unit: fc.constantFrom("a", "b"), minLength: 4, maxLength: 12 }));
    fc.assert(
      fc.property(text, values, (around, secrets) => {
        const shown = redact(around, secrets);
        for (const secret of secrets) expect(shown).not.toContain(secret);
        expect(shown.includes("[hidden]")).toBe(secrets.some((secret) => around.includes(secret)));
      }),
    );
  });
});

describe("what looks like a token or a URL is hidden", () => {
  test.each([
    ["see https://host/path?token=1, please", "see [url] please"],
    [`${"a".repeat(100)}://host/path`, "[url]"],
    ["(postgres://user:password@host/db)", "([url]"],
    ["Bearer abc.def", "Bearer [hidden]"],
    ["key lk_abc, whsec_abc=", "key [hidden], [hidden]"],
    [`eyJ${"a".repeat(99)}.b-_.c d`, "[hidden] d"],
    ["cut off at eyJhbGciOi", "cut off at [hidden]"],
  ])("%s", (text, shown) => {
    expect(redact(text, [])).toBe(shown);
  });
});

describe("text beyond the bound is cut off and never shown unhidden:", () => {
  const secret = `s3cret-${"x".repeat(500)}`;

  test.each([3_990, 3_999, 3_500])("a secret that crosses it, from place %d on", (place) => {
    const shown = refusal(`${" ".repeat(place)}${secret}`, [secret]);
    expect(shown).toBe("422: [hidden]…");
    // With what is hidden before it, the place moves forward.
    expect(refusal(`https://${"u".repeat(place - 10)} ${secret} end`, [secret])).not.toContain("s3cret");
  });

  test("a secret that is longer than the bound", () => {
    const long = `${secret}${"y".repeat(10_000)}`;
    expect(refusal(`it said ${long}`, [long])).toBe("422: it said [hidden]…");
  });

  test("a secret behind it", () => {
    expect(refusal(`a${" ".repeat(5_000)}${secret}`, [secret])).toBe("422: a …");
  });

  test("a megabyte, and less where there are many secrets", () => {
    const text = "a ".repeat(1024 * 1024);
    expect(redact(text, [])).toHaveLength(1024 * 1024 + 1);
    const secrets = Array.from({ length: 1_000 }, (_, index) => `secret-${index}`);
    expect(redact(`${text}secret-1`, secrets).length).toBeLessThan(20_000);
    expect(redact(`secret-999 ${text}`, secrets)).toMatch(/^\[hidden\] a a /);
  });

  test("all of it, where there are more secrets than can be looked for", () => {
    const secrets = Array.from({ length: 10_001 }, (_, index) => `secret-${index}`);
    expect(redact("it said secret-7", secrets)).toBe("[hidden]");
  });
});
