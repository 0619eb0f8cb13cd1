// Every function that matches foreign text is done with a mebibyte of any text in no time: what would take hours is
// ended after a deadline that no machine is too slow for.
import { Worker } from "node:worker_threads";
import { afterAll, expect, test } from "vitest";
import { readers } from "./support/foreign.ts";

/** For one text, which takes a fraction of it; a pattern that starts over at each place takes far longer. */
const DEADLINE_MS = 60_000;

/** Repeated; each begins something that a pattern may look for. */
const units = [
  " ",
  "\n",
  "\t \\\n",
  "a",
  "0",
  ".",
  "a.",
  " . ",
  "-",
  ";",
  "#\n",
  "(",
  "'",
  '"',
  "\\",
  ":",
  "://",
  "a:",
];
const words = [
  "a://",
  "eyJ-",
  "lk_",
  "bearer ",
  "id ",
  "exe_",
  "=",
  "import ",
  "from ",
  "[",
  "\r",
  "é",
  "\u2028",
];
/** Repeated behind a head. */
const fillers = [" ", "\n", "\\\n", "a", "a ", "0", ".", "(", ",", "a, "];

/** Texts before the repetition, where a function begins to look closer only behind it. */
const heads: Record<string, string[]> = {
  withStatement: [
    "from __future__ import a",
    "from __future__ import ",
    "from __future__ import (",
    "from __future__ import a,",
    "from",
    "x\nfrom",
    "x;",
    '"doc"',
    '("doc"',
    '"',
    "'''",
    "#",
    "\\\n",
    "(",
  ],
  redact: ["bearer", "eyJ", "whsec_", "https://"],
  logs: ["2026-01-01T00:00:00.", "2026-01-01T00:00:00"],
  scalars: ["2026-01-01T00:00:00.", "2026-01-01T00:00:00", "1.", "2026-01-01"],
  isNamed: ["text/csv;q=0."],
  readLimits: ["1", "1.", "-"],
  importsOf: ["import", "from", "from ."],
  candidateIds: ["id", "id:", 'execution_id":"', "execution_id", "%", "\\u", "&#"],
  mask: ["docker", "docker_password", "callbacks/lyceum/", "%2", '{"a":"', "a=", "environ"],
  readDirectives: ["#", "# emulator:"],
  csvLines: ["+1", "1e", "1."],
  submission: ["a/", "A"],
  "events in small pieces": ["data:", "id:"],
  "events in one piece": ["data:"],
};

let worker: Worker | null = null;
afterAll(() => worker?.terminate());

/** Resolves to null, or to the text that was under way for too long. */
function drive(
  reader: string,
  given: readonly (readonly [string, string, string])[],
): Promise<string | null> {
  worker ??= new Worker(new URL("./support/foreign.ts", import.meta.url));
  const driven = worker;
  return new Promise((resolve, reject) => {
    let underWay = "";
    const giveUp = () => {
      worker = null;
      void driven.terminate();
      end(() => resolve(underWay));
    };
    let timer = setTimeout(giveUp, DEADLINE_MS);
    const onMessage = ({ about }: { about: string | null }) => {
      if (about === null) return end(() => resolve(null));
      underWay = about;
      clearTimeout(timer);
      timer = setTimeout(giveUp, DEADLINE_MS);
    };
    const onError = (error: unknown) => {
      worker = null;
      end(() => reject(new Error(`${reader}: ${underWay}`, { cause: error })));
    };
    function end(settle: () => void): void {
      clearTimeout(timer);
      driven.off("message", onMessage).off("error", onError);
      settle();
    }
    driven.on("message", onMessage).on("error", onError);
    driven.postMessage({ reader, texts: given });
  });
}

test.each(Object.keys(readers))(
  "a mebibyte of anything is read by %s in one pass",
  { timeout: 600_000 },
  async (reader) => {
    const plain = [...units, ...words].map((unit) => ["", unit, "!"] as const);
    const headed = (heads[reader] ?? []).flatMap((head) => fillers.map((unit) => [head, unit, "!"] as const));
    expect(await drive(reader, [...plain, ...headed])).toBeNull();
  },
);
