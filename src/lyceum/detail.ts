// What Lyceum said when it refused, made fit to be shown: readable, short, and without secrets.
import { isObject, readText } from "./scalar.ts";

const LONGEST = 400;
/** What is looked at: enough for any honest message, little enough for the patterns below. */
const LONGEST_LOOKED_AT = 4_000;

/** One line such as `422: body.timeout: Input should be less than or equal to 600`. */
export function refusalDetail(status: number, words: string, secrets: string[]): string {
  const said = redact(words.slice(0, LONGEST_LOOKED_AT), secrets);
  return clip(said === "" ? `${status}` : `${status}: ${said}`);
}

/** Hides given values, and whatever looks like a token or a URL (a callback's URL is a secret). */
export function redact(text: string, secrets: string[]): string {
  const longestFirst = secrets.filter((secret) => secret.length > 3).sort((a, b) => b.length - a.length);
  return longestFirst
    .reduce((hidden, secret) => hidden.replaceAll(secret, "[hidden]"), text)
    .replace(/\b[a-z][a-z0-9+.-]*:\/\/[^\s"'<>]+/gi, "[url]")
    .replace(/\blk_\w+|\bwhsec_\S+|\beyJ[\w-]+\.[\w-]+(\.[\w-]*)?/g, "[hidden]")
    .replace(/\b(bearer)\s+\S+/gi, "$1 [hidden]");
}

/** From any of the known shapes of an error: FastAPI's list, a text, an object, the oldest envelope with `errors`. */
export function reasonIn(answer: unknown): string {
  if (typeof answer === "string") return answer;
  if (!isObject(answer)) return Array.isArray(answer) ? issues(answer) : "";
  if (Array.isArray(answer.detail)) return issues(answer.detail);
  const plain = readText(answer.detail) ?? readText(answer.message) ?? readText(answer.error) ?? "";
  return [plain, Array.isArray(answer.errors) ? issues(answer.errors) : ""].filter((part) => part).join("; ");
}

/** Only the place and the message: `input` and `ctx` can echo the request [FastAPI]. */
function issues(list: unknown[]): string {
  const lines = list.map((issue) => {
    if (!isObject(issue)) return readText(issue) ?? "";
    const place = Array.isArray(issue.loc) ? issue.loc.filter(isStep).join(".") : readText(issue.field);
    const message = readText(issue.msg) ?? readText(issue.message) ?? "invalid";
    return place ? `${place}: ${message}` : message;
  });
  return lines.filter((line) => line !== "").join("; ");
}

function isStep(step: unknown): step is string | number {
  return typeof step === "string" || typeof step === "number";
}

/** Undefined if it is not JSON, which is an expected answer of a proxy. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function clip(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > LONGEST ? `${line.slice(0, LONGEST - 1)}…` : line;
}
