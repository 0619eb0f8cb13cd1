// Answers that were once believed or given up on wrongly, each with what came of it. They stay.
import { withField } from "./document.ts";
import type { Endpoint, Mutation } from "./mutation.ts";
import { PAGE } from "./odd.ts";
import { SHARED, type Story, type Subject } from "./story.ts";

interface Case {
  /** Goes on after "although". */
  title: string;
  endpoints: readonly Endpoint[];
  /** One after the other; then the truth. */
  answers: readonly Mutation[];
  kind?: Subject["kind"];
  switches?: string;
}

const mutation = (name: string, bend: Mutation["bend"], isHeard = true): Mutation => ({
  name,
  isHeard,
  bend,
});
const ok = (text: string) => ({ status: 200, headers: {}, text });
const field = (name: string, raw: string) =>
  mutation(`${name} ${raw}`, (truth) => ok(withField(truth, name, () => raw)));
const times = (count: number, answer: Mutation) => Array.from({ length: count }, () => answer);
/** Somebody else answers: Lyceum hears nothing. */
const answered = (status: number, text: string, headers: Record<string, string> = {}) =>
  mutation(`${status}`, () => ({ status, headers, text }), false);
/** Others succeed: a run that ends so must not take their end. */
const FAILING = "pending=5s delay=40s exit=3";
const otherRun = mutation("of another run", (truth, others) => ok(others[0] ?? truth));
const otherId = mutation("the id of another run", (truth, others) =>
  ok(withField(truth, "execution_id", (own) => JSON.stringify(idIn(others[0]) ?? own))),
);

function idIn(text: string | undefined): unknown {
  return text === undefined ? undefined : JSON.parse(text).execution_id;
}

const START = ["start"] as const;
const RECORD = ["record"] as const;
const nobody = '{"detail":"Execution not found"}';

/** Each in a life of its own, as a pause of starts or an outage touches all runs of a life. */
export const chapters: Readonly<Record<string, readonly Case[]>> = {
  "starts that are not taken": [
    ...[302, 403, 404, 405, 413].map((status) => ({
      title: `its start is answered ${status} with a page`,
      endpoints: START,
      answers: times(3, answered(status, PAGE)),
    })),
    {
      title: "its start is answered by a backend that knows no such route",
      endpoints: START,
      answers: times(3, answered(404, "default backend - 404")),
    },
    {
      title: "its start is answered 503",
      endpoints: START,
      answers: [answered(503, PAGE), answered(503, '{"detail":"Service temporarily unavailable"}')],
    },
    {
      title: "the account has no credits left when it is started",
      endpoints: START,
      answers: times(2, answered(402, '{"detail":"Insufficient credits"}')),
    },
  ],
  pauses: [
    ...["9999999999", "1790000000000", "2099-01-01T00:00:00Z", "-1", "soon"].map((time) => ({
      title: `its start is answered 429 with Retry-After ${time}`,
      endpoints: START,
      answers: [answered(429, '{"detail":"Rate limit exceeded"}', { "retry-after": time })],
    })),
    {
      title: "its record is answered 429 with a time in the year 2099",
      endpoints: RECORD,
      answers: [answered(429, PAGE, { "retry-after": "2099-01-01T00:00:00Z" })],
    },
  ],
  "starts that are taken": [
    ...["", PAGE, '{"ok":true}', '{"detail":"Internal error"}', "null", "[]"].map((text) => ({
      title: `its start is answered 200 with ${text.slice(0, 20) || "nothing"}`,
      endpoints: START,
      answers: [mutation(text.slice(0, 20), () => ok(text))],
    })),
    ...[
      '".."',
      '"a/b"',
      '"\\ud800"',
      '"x"',
      '"a\\u0000b"',
      "9007199254740993",
      "1790000000",
      "1e400",
      "null",
      "{}",
    ].map((id) => ({
      title: `its start is answered with the id ${id}`,
      endpoints: START,
      answers: [field("execution_id", id)],
    })),
    {
      title: "its start is answered with the id of another run",
      endpoints: START,
      answers: [otherId],
      switches: FAILING,
    },
    {
      title: "its start is answered with the answer to another one",
      endpoints: START,
      answers: [otherRun],
      switches: FAILING,
    },
  ],
  "records of others, or of nobody": [
    {
      title: "its record and status are pages with 404 for four minutes",
      endpoints: ["record", "status"],
      answers: times(40, answered(404, PAGE)),
      switches: "delay=4m",
    },
    {
      title: "its record and status are not found for a while",
      endpoints: ["record", "status"],
      answers: times(12, answered(404, nobody)),
      switches: "delay=4m",
    },
    {
      title: "its record is that of another run",
      endpoints: RECORD,
      answers: times(3, otherRun),
      switches: FAILING,
    },
    {
      title: "its record bears the id of another run",
      endpoints: RECORD,
      answers: times(3, otherId),
      switches: FAILING,
    },
    {
      title: "its record bears the marker of another run",
      endpoints: RECORD,
      answers: times(3, field("file_name", `"exe_${"0".repeat(26)}"`)),
    },
    {
      title: "its record ends in an unknown word",
      endpoints: RECORD,
      answers: times(100, field("status", '"finished"')),
      switches: "delay=40s exit=3",
    },
  ],
  "fields of records": [
    ...[
      ["result", "NaN"],
      ["result", "9007199254740993"],
      ["result", "[".repeat(2_000_000) + "]".repeat(2_000_000)],
      ["result", `[${"{},".repeat(1_000_000)}{}]`],
      ["result", JSON.stringify("x".repeat(17 * 1024 * 1024))],
      ["errors", JSON.stringify("a.".repeat(90_000))],
      ["errors", '"a\\u0000\\ud800"'],
      ["return_code", "4294967295"],
      ["billed", "1e400"],
      ["start_time", "1e400"],
      ["end_time", '"-271821-04-20"'],
      ["stdout", '"a\\u0000\\ud800"'],
    ].map(([name = "", raw = ""]) => ({
      title: `the ${name} of its record is ${raw.slice(0, 20)} (${raw.length} characters)`,
      endpoints: RECORD,
      answers: times(20, field(name, raw)),
    })),
  ],
  artifacts: [
    ...["\uFEFF", "[", '{"a":', '{"data":'].map((before) => ({
      title: `its documents begin with ${JSON.stringify(before)}`,
      endpoints: ["record", "status", "timing", "metrics", "logs"] as const,
      answers: times(
        6,
        mutation(before, (truth) => ok(before + truth)),
      ),
    })),
    ...["{}", "null", "[]", '{"detail":"Not available yet"}', '{"error":"Not available yet"}'].map(
      (text) => ({
        title: `its timing, metrics and logs are ${text}`,
        endpoints: ["timing", "metrics", "logs"] as const,
        answers: times(
          6,
          mutation(text, () => ok(text)),
        ),
      }),
    ),
  ],
  "GPU selections": [
    ...[
      (truth: string) => `{"parent":${truth},"sub_jobs":[]}`,
      () => '{"jobs":[]}',
      (truth: string) => withField(truth, "status", () => "null"),
    ].map((bend, nth) => ({
      title: `its GPU selection is told in other words (${nth + 1})`,
      endpoints: ["selection"] as const,
      answers: times(
        500,
        mutation("other words", (truth) => ok(bend(truth))),
      ),
      kind: "gpu_selection" as const,
    })),
  ],
};

export function storyOf(given: readonly Case[]): Story {
  return {
    seed: 1,
    subjects: given.map(({ endpoints, answers, kind = "image", switches = "pending=5s delay=40s" }) => {
      const left = [...answers];
      const next = () => left.shift() ?? null;
      return { kind, switches, cancelAfterMs: null, plan: { endpoints, next } };
    }),
    shared: { endpoints: SHARED, next: () => null },
    hasCallbacks: false,
    logsIn: false,
  };
}
