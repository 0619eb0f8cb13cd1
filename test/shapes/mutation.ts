// Mutations of Lyceum's answers: a field of another type, missing, huge, nested, doubled, in another order or of
// another run; a text that is cut or no JSON; a status of somebody else. None of them is a lie that Lyceum itself
// could tell in its own words, so that the service can always find out the truth from the next answer.
import type { Random } from "../simulation/random.ts";
import { at, isObject, type Path, parse, pathsOf, withRaw } from "./document.ts";
import { HUGE, ODD, ODD_HEADERS, PAGE } from "./odd.ts";

export interface Answer {
  status: number;
  headers: Record<string, string>;
  text: string;
}

export interface Mutation {
  name: string;
  /** Lyceum hears the call. If false, somebody else answers, or nobody. */
  isHeard: boolean;
  /** Nobody can tell from the answer to a start whether Lyceum heard it. */
  leavesDoubt?: boolean;
  /** Null: no answer comes. @param others true answers about other runs */
  bend(truth: string, others: readonly string[]): Answer | null;
}

export type Endpoint =
  | "start"
  | "record"
  | "status"
  | "selection"
  | "timing"
  | "metrics"
  | "logs"
  | "abort"
  | "list"
  | "history"
  | "types"
  | "hardware"
  | "login"
  | "other";

export function drawMutation(random: Random, endpoint: Endpoint): Mutation {
  const manner = random.next();
  if (manner < 0.65) return structural(random.fork());
  if (manner < 0.82) return textual(random);
  return foreign(random, endpoint);
}

/** The answer of somebody else, with a status that says so; or Lyceum's own trouble. */
function foreign(random: Random, endpoint: Endpoint): Mutation {
  const isStart = endpoint === "start";
  const [status, text, mayBeHeard] = random.pick<[number, string, boolean]>([
    [302, "", false],
    [403, PAGE, false],
    [404, PAGE, false],
    [404, "default backend - 404", false],
    [405, "", false],
    [413, PAGE, false],
    [402, '{"detail":"Insufficient credits"}', false],
    [429, '{"detail":"Rate limit exceeded"}', false],
    [429, PAGE, false],
    [503, '{"detail":"Service temporarily unavailable"}', false],
    [503, PAGE, false],
    [401, '{"detail":"Token verification timeout"}', false],
    [408, "", true],
    [500, '{"detail":"Internal Server Error"}', true],
    [502, PAGE, true],
    [504, PAGE, true],
    [0, "", true],
    // Lyceum's own word: for a start a refusal, which would be the truth.
    ...(isStart ? [] : [[404, '{"detail":"Execution not found"}', true] as [number, string, boolean]]),
    ...(isStart
      ? []
      : [[422, '{"detail":[{"loc":["a\\u0000"],"msg":"no"}]}', true] as [number, string, boolean]]),
  ]);
  const headers: Record<string, string> = {};
  if (status >= 400 && random.chance(0.3)) headers["retry-after"] = random.pick(ODD_HEADERS);
  if (random.chance(0.1)) headers["x-ratelimit-reset"] = random.pick(ODD_HEADERS);
  if (random.chance(0.1)) headers["x-ratelimit-limit"] = random.pick(ODD_HEADERS);
  const isHeard = mayBeHeard && random.chance(0.5);
  const name = `${status || "silence"} ${text.slice(0, 40)} ${JSON.stringify(headers)} heard=${isHeard}`;
  const bend = () => (status === 0 ? null : { status, headers, text });
  return { name, isHeard, leavesDoubt: mayBeHeard, bend };
}

/** The whole text in another form. */
function textual(random: Random): Mutation {
  const at = random.next();
  const [name, bend] = random.pick<[string, (truth: string) => string]>([
    ["cut", (truth) => truth.slice(0, Math.floor(truth.length * at))],
    ["cut", (truth) => truth.slice(0, Math.floor(truth.length * at))],
    ["empty", () => ""],
    ["page", () => PAGE],
    ["bom", (truth) => `\uFEFF${truth}`],
    ["twice", (truth) => truth + truth],
    ["as text", (truth) => JSON.stringify(truth)],
    ["in a list", (truth) => `[${truth}]`],
    ["in an envelope", (truth) => `{"status":"success","data":${truth},"message":"ok"}`],
    ["in two envelopes", (truth) => `{"data":{"data":${truth}}}`],
    ["in results", (truth) => `{"results":${truth}}`],
    ["detail", () => '{"detail":"Internal error"}'],
    ["error", () => '{"error":{"code":500}}'],
    ...["null", "[]", "{}", "0", '"ok"', '{"ok":true}', "NaN", "[null,7,[]]"].map(
      (text): [string, () => string] => [text, () => text],
    ),
    ["deep", () => "[".repeat(100_000) + "]".repeat(100_000)],
  ]);
  return { name, isHeard: true, bend: (truth) => ok(bend(truth)) };
}

/** One value of the document replaced, removed, doubled, moved. */
function structural(random: Random): Mutation {
  const mutation: Mutation = {
    name: "structure",
    isHeard: true,
    bend(truth, others) {
      const document = parse(truth);
      const paths = pathsOf(document);
      // Half of the time a field at the top, where those stand that matter.
      const shallow = paths.filter((path) => path.length === 1);
      const path = random.pick(shallow.length > 0 && random.chance(0.5) ? shallow : paths);
      const [name, raw] = change(random, at(document, path), path, others);
      mutation.name = `${path.join(".") || "all"} ${name}`;
      return ok(withRaw(document, path, raw));
    },
  };
  return mutation;
}

/** A name for it, and the raw text in place of the value; null takes it away. */
function change(
  random: Random,
  value: unknown,
  path: Path,
  others: readonly string[],
): [string, string | null] {
  const raw = JSON.stringify(value);
  switch (random.between(0, 9)) {
    case 0:
      return ["missing", null];
    case 1:
      return ["nested", random.pick([`{"value":${raw}}`, `[${raw}]`, `[[[${raw}]]]`, `{"data":${raw}}`])];
    case 2:
      return ["as text", JSON.stringify(raw)];
    case 3:
      if (Array.isArray(value)) return ["doubled", JSON.stringify([...value, ...value])];
      return ["doubled", typeof value === "string" ? JSON.stringify(value.repeat(2)) : `[${raw},${raw}]`];
    case 4:
      if (Array.isArray(value)) return ["reversed", JSON.stringify([...value].reverse())];
      if (isObject(value))
        return ["reordered", JSON.stringify(Object.fromEntries(Object.entries(value).reverse()))];
      return ["null", "null"];
    case 5: {
      const namesNobody = path.length === 0 && isObject(value) && !("execution_id" in value);
      const isLie = others.length === 0 || namesNobody || LIES.includes(String(path.at(-1)));
      const other = isLie ? undefined : at(parse(random.pick(others)), path);
      return other === undefined ? ["null", "null"] : ["of another run", JSON.stringify(other)];
    }
    case 6:
      if (Array.isArray(value)) return ["huge", JSON.stringify(Array(3_000).fill(value[0] ?? null))];
      return ["huge", random.pick(HUGE)()];
    default: {
      const odd = random.pick(ODD);
      return [odd.slice(0, 30), odd];
    }
  }
}

/**
 * Fields that say something else of a run if they are those of another one: nobody could tell. The same holds for a
 * whole answer that names no run, such as a status.
 */
const LIES = ["status", "stdout", "stderr", "combined_output"];

const ok = (text: string): Answer => ({ status: 200, headers: {}, text });
