// Parses a body within bounds and decides if Lyceum wrote it. Large bodies have their own thread.
import { checkJson, cleanJson } from "../lib/json.ts";
import { errorMessageIn } from "./error-detail.ts";
import { isObject, readName, readText } from "./lenient-values.ts";
import { type AnswerName, answers, maxValuesOf } from "./schema.ts";
import { holdsError } from "./schema-parts.ts";

export interface ParsedReply {
  /** The expected answer; null: its required fields are missing. */
  answer: { value: unknown } | null;
  /** An object or a list: perhaps Lyceum. */
  isJson: boolean;
  isEmpty: boolean;
  isError: boolean;
  isUnfunded: boolean;
  isTooLarge: boolean;
  /** The error in the body, or why the body is unreadable. May quote secrets. */
  message: string;
}

/** Cleans the bytes in place. @param name the expected answer; null: the status is an error */
export function readReply(bytes: Buffer, name: AnswerName | null): ParsedReply {
  cleanJson(bytes);
  const text = bytes.toString("utf8");
  if (text.trim() === "") return { ...unreadReply(""), answer: parse(null, name) };
  const checked = checkJson(text, { maxDepth: MAX_DEPTH, maxValues: maxValuesOf(name), raw: "result" });
  if (checked.type === "excess") return { ...unreadReply(checked.detail), isJson: true, isTooLarge: true };
  if (checked.type === "invalid")
    return unreadReply(
      text.trimStart().startsWith("<") ? "HTML instead of JSON" : "an answer that is not JSON",
    );
  const body: unknown = JSON.parse(checked.text);
  const answer = parse(unwrap(body), name);
  const isJson = typeof body === "object" && body !== null;
  const isEmpty = isJson && Object.keys(body).length === 0;
  if (answer !== null) return { ...unreadReply(""), answer, isJson, isEmpty };
  const isError = isJson && isErrorOfLyceum(body);
  // A success is quoted only if it is an error after all.
  const isQuoted = name === null || (isObject(body) && holdsError(body));
  return {
    ...unreadReply(isQuoted ? errorMessageIn(body) : ""),
    isJson,
    isEmpty,
    isError,
    isUnfunded: isError && tellsUnfunded(body as Record<string, unknown>),
  };
}

const MAX_DEPTH = 500;

export function unreadReply(message: string): ParsedReply {
  return {
    answer: null,
    isJson: false,
    isEmpty: false,
    isError: false,
    isUnfunded: false,
    isTooLarge: false,
    message,
  };
}

function parse(answer: unknown, name: AnswerName | null): ParsedReply["answer"] {
  const read = name === null ? null : answers[name].safeParse(answer);
  return read?.success ? { value: read.data } : null;
}

/** The oldest success envelope was `{status, data, message}` [introduction, 2025]. */
function unwrap(answer: unknown): unknown {
  if (!isObject(answer) || !Object.hasOwn(answer, "data") || Object.hasOwn(answer, "execution_id"))
    return answer;
  const { status } = answer;
  const isEnvelope =
    typeof status === "number" ? status >= 200 && status < 300 : readName(status) === "success";
  return isEnvelope ? answer.data : answer;
}

/**
 * Lyceum's errors have a `detail`; in the oldest introduction a `status` beside `errors`, or a `message` in the
 * envelope. A `title` beside the `detail` is the problem document of a gateway.
 */
function isErrorOfLyceum(answer: unknown): boolean {
  if (!isObject(answer)) return false;
  const { detail, title, status, errors, message } = answer;
  if (typeof detail === "string" ? detail.trim() !== "" : typeof detail === "object" && detail !== null)
    return title === undefined;
  if (Array.isArray(errors)) return errors.length > 0 && status !== undefined;
  return typeof message === "string" && (status === "error" || status === "fail" || status === "failed");
}

/** Detects used-up credits or quota by words: the status for that is not documented. */
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
