// Values that nobody expects, as raw JSON text or text that is none.

export const HUGE = [
  () => JSON.stringify("a.".repeat(90_000)),
  () => JSON.stringify(" ".repeat(200_000)),
  () => JSON.stringify("x".repeat(2_000_000)),
  () => `[${"{},".repeat(20_000)}{}]`,
  () => "[".repeat(50_000) + "]".repeat(50_000),
  () => `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`,
];

export const ODD = [
  ...["null", "true", "false", "0", "-1", "-0", "1.5", "1.0", "1e400", "-1e400", "1e-400", "NaN", "Infinity"],
  ...["9007199254740993", "4294967295", "4294967296", "1790000000", "1790000000000", "99999999999999999999"],
  ...[
    '""',
    '" "',
    '"."',
    '".."',
    '"a/b"',
    '"../../workloads/list"',
    '"%2e%2e"',
    '"a?b#c"',
    '"x"',
    '"0"',
    '"null"',
  ],
  ...[
    '"a\\u0000b"',
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '"\\u202e"',
    '"é\\n\\r\\t"',
    '"finished"',
    '"12"',
    '"NaN"',
  ],
  ...[
    '"2026-13-45T99:99:99"',
    '"1970-01-01T00:00:00Z"',
    '"9999-12-31T23:59:59.999999999Z"',
    '"-271821-04-20"',
  ],
  ...[
    "{}",
    "[]",
    "[[]]",
    "[null]",
    '{"a":null}',
    '{"execution_id":"x"}',
    '{"__proto__":{"a":1}}',
    '["a",{"b":[]}]',
  ],
  `"exe_${"0".repeat(26)}"`,
];

export const ODD_HEADERS = [
  "0",
  "-1",
  "1e99",
  "9999999999",
  "1790000000000",
  "2099-01-01T00:00:00Z",
  "soon",
  "",
  "0.5",
];

export const PAGE = "<html><body><h1>Sign in</h1></body></html>";
