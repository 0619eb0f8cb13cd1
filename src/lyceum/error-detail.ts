// Makes Lyceum's error messages fit to be shown: readable, short, and without secrets.
import { clip } from "../lib/clip.ts";
import { redact } from "../lib/redact.ts";
import { isObject, readText } from "./lenient-values.ts";

const MAX_SHOWN = 400;
/** Enough for any honest message. */
const MAX_READ = 4_000;
const MAX_ISSUES = 100;

/** One line such as `422: body.timeout: Input should be less than or equal to 600`. */
export function errorDetail(status: number, words: string, secrets: string[]): string {
  // Most answers are no errors, and the search for secrets costs more than reading one.
  const said = words === "" ? "" : redact(words, secrets, MAX_READ);
  const line = (said === "" ? `${status}` : `${status}: ${said}`).replace(/\s+/g, " ").trim();
  return clip(line, MAX_SHOWN);
}

/** Reads the message in any known form of an error: FastAPI's list, a text, an object, the old envelope's `errors`. */
export function errorMessageIn(answer: unknown): string {
  if (typeof answer === "string") return answer;
  if (!isObject(answer)) return Array.isArray(answer) ? issues(answer) : "";
  if (Array.isArray(answer.detail)) return issues(answer.detail);
  const plain = readText(answer.detail) ?? readText(answer.message) ?? readText(answer.error) ?? "";
  return [plain, Array.isArray(answer.errors) ? issues(answer.errors) : ""].filter((part) => part).join("; ");
}

/** Shows only location and message: `input` and `ctx` can echo the request [FastAPI]. */
function issues(list: unknown[]): string {
  const lines = list.slice(0, MAX_ISSUES).map((issue) => {
    if (!isObject(issue)) return readText(issue) ?? "";
    const location = Array.isArray(issue.loc) ? issue.loc.filter(isStep).join(".") : readText(issue.field);
    const message = readText(issue.msg) ?? readText(issue.message) ?? "invalid";
    return location ? `${location}: ${message}` : message;
  });
  return lines.filter((line) => line !== "").join("; ");
}

function isStep(step: unknown): step is string | number {
  return typeof step === "string" || typeof step === "number";
}
