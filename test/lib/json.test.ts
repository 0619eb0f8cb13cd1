import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkJson, cleanJson } from "../../src/lib/json.ts";

const wide = { maxDepth: 1_000, maxValues: 1_000_000 };

function read(text: string, raw?: string): unknown {
  const bytes = Buffer.from(text);
  cleanJson(bytes);
  const checked = checkJson(bytes.toString("utf8"), raw === undefined ? wide : { ...wide, raw });
  return checked.type === "json" ? JSON.parse(checked.text) : checked;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { type: "invalid" };
  }
}

const odd = /\\u0000|\\ud[89a-f]/i;
const plainJson = fc.json().filter((text) => !odd.test(text));
/** Texts that are nearly JSON: pieces of it in any order. */
const piece = fc.constantFrom(
  ..."{}[],: \n\t".split(""),
  ...[
    '"',
    '"a"',
    '"\\n"',
    '"\\u0041"',
    '"\\x"',
    "\\",
    "a",
    "\u0001",
    "\u00a0",
    '""',
    '"a":1',
    '{"a":[',
    "]}",
  ],
  ...[
    "0",
    "01",
    "-",
    "1.",
    ".5",
    "1e",
    "1e5",
    "-0.0E-1",
    "12345678901234567890",
    "true",
    "false",
    "null",
    "nul",
  ],
);
const nearlyJson = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));

describe("JSON of others", () => {
  test("JSON of others is passed on as it came", () => {
    fc.assert(
      fc.property(plainJson, (text) => {
        expect(checkJson(text, wide)).toEqual({ type: "json", text });
      }),
    );
  });

  test("JSON of others is what JSON.parse takes, and nothing else", () => {
    fc.assert(
      fc.property(fc.oneof(nearlyJson, fc.string(), plainJson), (text) => {
        expect(read(text)).toEqual(parsed(text));
      }),
      { numRuns: 5_000 },
    );
  });

  test("JSON of others keeps the text of one field as written, wherever NaN stands around it", () => {
    const value = fc.json().filter((text) => !odd.test(text));
    fc.assert(
      fc.property(value, fc.constantFrom("1", "NaN", '{"result": [NaN]}'), (json, before) => {
        const text = `{"before": ${before}, "result" : ${json} , "after": -Infinity}`;
        const result = json.trim() === "null" ? null : json.trim();
        expect(read(text, "result")).toMatchObject({ result, after: null });
        expect(read(`{"status": "success", "data": ${text}}`, "result")).toMatchObject({ data: { result } });
      }),
    );
  });

  test.each<[string, unknown]>([
    [
      '{"a": NaN, "b": [Infinity, -Infinity], "c": "NaN, Infinity"}',
      { a: null, b: [null, null], c: "NaN, Infinity" },
    ],
    ["\ufeff[1]", [1]],
    ["NaN", null],
    [
      '["a\\u0000b", "\\ud800", "\\uDC00x", "\\ud83d\\ude80", "\\\\u0000", "\\\\\\u0000"]',
      ["a\ufffdb", "\ufffd", "\ufffdx", "🚀", "\\u0000", "\\\ufffd"],
    ],
    ['{"\\u0000": "\\ud800\\ud83d\\ude80"}', { "\ufffd": "\ufffd🚀" }],
  ])("%j is read beyond the standard", (text, value) => {
    expect(read(text)).toEqual(value);
  });

  test.each([
    "nan",
    "-NaN",
    "+1",
    "Infinity1",
    "NaNNaN",
    "[1,]",
    '{"a":1,}',
    "[1 2]",
    "{1:2}",
    "\ufeff\ufeff1",
    "",
    " ",
  ])("%j is none", (text) => expect(read(text)).toEqual({ type: "invalid" }));

  test("JSON of others keeps numbers that no number can hold, in the field that is passed on", () => {
    const result = '{"a": [12345678901234567890, 1.0, 1e400, -0, NaN], "b": "\\u0000"}';
    const kept = '{"a": [12345678901234567890, 1.0, 1e400, -0, null], "b": "\\ufffd"}';
    expect(read(`{"result": ${result}}`, "result")).toEqual({ result: kept });
    expect(read(`{"\\u0072esult": 1.0}`, "result")).toEqual({ result: "1.0" });
    expect(read('{"a": {"result": 1.5}, "result": null, "data": {"a": {"result": 1.5}}}', "result")).toEqual({
      a: { result: 1.5 },
      result: null,
      data: { a: { result: 1.5 } },
    });
    expect(read('{"result": 1, "result": 2.0}', "result")).toEqual({ result: "2.0" });
  });

  test("JSON of others is refused at its bounds, before it is parsed", () => {
    const bounds = { maxDepth: 3, maxValues: 5 };
    expect(checkJson("[[[]]]", bounds).type).toBe("json");
    expect(checkJson("[[[[]]]]", bounds)).toEqual({ type: "excess", detail: "nested deeper than 3 levels" });
    expect(checkJson("[1,2,3,4]", bounds).type).toBe("json");
    expect(checkJson('[1,2,3,{"a":4}]', bounds)).toEqual({ type: "excess", detail: "more than 5 values" });
    expect(checkJson('{"result": [1,2,3,4,5,6,7]}', { ...bounds, raw: "result" }).type).toBe("json");
    expect(checkJson('{"result": [[[1]]]}', { ...bounds, raw: "result" }).type).toBe("excess");
    expect(checkJson(`[${"NaN,".repeat(200_000)}1]`, wide).type).toBe("excess");
  });

  test.each([
    ["8 million brackets", "[".repeat(8_000_000) + "]".repeat(8_000_000)],
    ["a million empty entries", `[${"{},".repeat(5_000_000)}{}]`],
    ["backslashes", `["${"\\\\".repeat(8_000_000)}`],
    ["halves of pairs", `["${"\\ud800".repeat(2_600_000)}"]`],
    ["digits", "1".repeat(16_000_000)],
    ["blanks", " ".repeat(16_000_000)],
    ["names", `{${'"data":{},'.repeat(1_500_000)}"a":1}`],
  ])("JSON of others of 16 MiB in its worst form is one pass: %s", (_, text) => {
    const bytes = Buffer.from(text);
    cleanJson(bytes);
    checkJson(bytes.toString("utf8"), { ...wide, maxValues: 100_000, raw: "result" });
  });
});
