// Reads a body within bounds and judges whether Lyceum wrote the body. Large bodies have their own thread.
import { checkJson, cleanJson } from "../lib/json.ts";
import { reasonIn } from "./error-detail.ts";
import { isObject, readName, readText } from "./lenient-values.ts";
import { type AnswerName, answers, holdsError, maxValuesOf } from "./schema.ts";

export interface Said {
  /** The reading of the answer; null: what is due is not there. */
  reading: { value: unknown } | null;
  /** An object or a list: perhaps Lyceum. */
  isJson: boolean;
  /** `{}` or `[]`. */
  isEmpty: boolean;
  /** An error in Lyceum's own form. */
  isError: boolean;
  /** The error says that credits or quota are used up. */
  isUnfunded: boolean;
  /** Larger than a bound. */
  isTooLarge: boolean;
  /** The error that the body reports, or why the body is unreadable. May quote secrets. */
  words: string;
}

/** Cleans the bytes in place. @param name the answer that is due; null: none, as the status tells of an error */
export function readSaid(bytes: Buffer, name: AnswerName | null): Said {
  cleanJson(bytes);
  const text = bytes.toString("utf8");
  if (text.trim() === "") return { ...unsaid(""), reading: readingOf(null, name) };
  const checked = checkJson(text, { maxDepth: MAX_DEPTH, maxValues: maxValuesOf(name), raw: "result" });
  if (checked.type === "excess") return { ...unsaid(checked.detail), isJson: true, isTooLarge: true };
  if (checked.type === "invalid")
    return unsaid(text.trimStart().startsWith("<") ? "HTML instead of JSON" : "an answer that is not JSON");
  const answer: unknown = JSON.parse(checked.text);
  const reading = readingOf(unwrap(answer), name);
  const isJson = typeof answer === "object" && answer !== null;
  const isEmpty = isJson && Object.keys(answer).length === 0;
  if (reading !== null) return { ...unsaid(""), reading, isJson, isEmpty };
  const isError = isJson && isErrorOfLyceum(answer);
  // A success is quoted only where it is an error after all.
  const isQuoted = name === null || (isObject(answer) && holdsError(answer));
  return {
    ...unsaid(isQuoted ? reasonIn(answer) : ""),
    isJson,
    isEmpty,
    isError,
    isUnfunded: isError && tellsUnfunded(answer as Record<string, unknown>),
  };
}

const MAX_DEPTH = 500;

/** Nothing that could be read. */
export function unsaid(words: string): Said {
  return {
    reading: null,
    isJson: false,
    isEmpty: false,
    isError: false,
    isUnfunded: false,
    isTooLarge: false,
    words,
  };
}

function readingOf(answer: unknown, name: AnswerName | null): Said["reading"] {
  const read = name === null ? null : answers[name].safeParse(answer);
  return read?.success ? { value: read.data } : null;
}

/** The oldest success envelope `{status, data, message}` opened [introduction, 2025]; anything else as it is. */
function unwrap(answer: unknown): unknown {
  if (!isObject(answer) || !Object.hasOwn(answer, "data") || Object.hasOwn(answer, "execution_id"))
    return answer;
  const { status } = answer;
  const isEnvelope =
    typeof status === "number" ? status >= 200 && status < 300 : readName(status) === "success";
  return isEnvelope ? answer.data : answer;
}

/**
 * Lyceum's errors have a `detail`; those of the oldest introduction name their `status` beside `errors`, or a
 * `message` in the envelope. A `title` beside the `detail` is the problem document of a gateway.
 */
function isErrorOfLyceum(answer: unknown): boolean {
  if (!isObject(answer)) return false;
  const { detail, title, status, errors, message } = answer;
  if (typeof detail === "string" ? detail.trim() !== "" : typeof detail === "object" && detail !== null)
    return title === undefined;
  if (Array.isArray(errors)) return errors.length > 0 && status !== undefined;
  return typeof message === "string" && (status === "error" || status === "fail" || status === "failed");
}

/** Lyceum says in words that credits or quota are used up: which status it takes for that is not documented. */
function tellsUnfunded({ detail, message, code, type }: Record<string, unknown>): boolean {
  const codes = isObject(detail) ? [detail.code, detail.type] : [code, type];
  const words = [readText(detail), readText(message), ...codes.map(readName)].join(". ");
  return UNFUNDED.test(words.slice(0, MAX_WORDS).replaceAll("_", " "));
}

const MAX_WORDS = 2_000;
const UNFUNDED = new RegExp(
  [
    /\b(?:insufficient|not enough|no|zero|out of|low|lack of|exceed\w*)\b[^.;\n]{0,30}\b(?:credits?|balance|funds)\b/,
    /\b(?:insufficient|out of|exceed\w*)\b[^.;\n]{0,30}\bquotas?\b/,
    /\b(?:credits?|balance|funds|quotas?)\b[^.;\n]{0,30}\b(?:exceed\w*|exhaust\w*|used up|deplet\w*|too low|insufficient|negative|reached|r[au]n out|spent|empty)\b/,
    /\bpayment required\b/,
  ]
    .map(({ source }) => source)
    .join("|"),
  "i",
);
