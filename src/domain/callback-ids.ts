// Finds ids of Lyceum's executions in a callback's undocumented body. Each candidate is then confirmed at Lyceum.
import { decodeBody, newBudget } from "./decode-body.ts";
import { unwrapText } from "./unwrap.ts";

/** The likeliest first: named as an execution's id, then UUIDs, then any other named id. */
export function candidateIds(body: Buffer, contentEncoding: string | null): string[] {
  const budget = newBudget();
  const decoded = decodeBody(body, contentEncoding, budget);
  if (decoded.type === "excess") return [];
  const { texts } = unwrapText(
    decoded.type === "text" ? decoded.text : decoded.bytes.toString("latin1"),
    budget,
  );
  const named = texts.flatMap((text) => matchesIn(text, EXECUTION_ID));
  const ids = texts.flatMap((text) => matchesIn(text, ANY_ID));
  const uuids = texts.flatMap((text) => matchesIn(text, BARE_UUID));
  const isUuid = (id: string) => UUID.test(id);
  const ordered = [...named, ...ids.filter(isUuid), ...uuids, ...ids.filter((id) => !isUuid(id))];
  return [...new Set(ordered)].filter((id) => !OURS.test(id)).slice(0, MAX_CANDIDATES);
}

function matchesIn(text: string, pattern: RegExp): string[] {
  const found: string[] = [];
  for (const [, id] of text.matchAll(pattern)) {
    if (found.length === MAX_PER_TEXT) break;
    found.push(id ?? "");
  }
  return found;
}

/** Each candidate costs a call to Lyceum. */
const MAX_CANDIDATES = 5;
const MAX_PER_TEXT = 64;
const OURS = /^(?:exe|run|job)_[0-9a-z]{26}$/;
const UUID = /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;
const BARE_UUID = /(?<![0-9a-f-])([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})(?![0-9a-f-])/gi;

/** The text between name and value in JSON, forms, XML, headers, multipart bodies, and `{name, value}` pairs. */
const BETWEEN = String.raw`["'\\\s\]]{0,8}(?:[:=>]|\n|,["'\\\s]{0,8}value["'\\\s]{0,8}[:=])["'\\\s[]{0,8}`;
const VALUE = "([A-Za-z0-9_-]{6,128})";
const EXECUTION_ID = new RegExp(`execution[-_. ]?id${BETWEEN}${VALUE}`, "gi");
/** Matches `id`, `run_id` and `runId`, but no word that ends in "id". */
const ANY_ID = new RegExp(`(?:(?<![A-Za-z])(?:id|Id|ID)|(?<=[a-z])I[dD])${BETWEEN}${VALUE}`, "g");
