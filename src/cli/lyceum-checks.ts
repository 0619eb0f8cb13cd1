// Checks of Lyceum and of the way back from it, with the service's own settings.
import type { Config } from "../config.ts";
import { callbackToken } from "../domain/callback-token.ts";
import { SELF_TEST_HEADER, SELF_TEST_ID } from "../domain/self-test.ts";
import { type Check, failed, passed } from "../lib/check.ts";

export async function checkLyceum(config: Config, signal: AbortSignal): Promise<Check[]> {
  const [credits, callback] = await Promise.all([lyceum(config, signal), callbackPath(config, signal)]);
  return [...credits, ...callback];
}

/** The answer about credits also has Lyceum's clock. */
async function lyceum(
  { lyceum: { baseUrl, orgSlug, credentials } }: Config,
  signal: AbortSignal,
): Promise<Check[]> {
  const isKey = credentials.kind === "key";
  const sentAt = Date.now();
  const answer = await ask(`${baseUrl}/billing/credits`, signal, {
    headers: {
      ...(isKey ? { Authorization: `Bearer ${credentials.key}` } : {}),
      ...(orgSlug === null ? {} : { "X-Org-Slug": orgSlug }),
    },
  });
  if (typeof answer === "string")
    return [failed("lyceum api", answer, "check LYCEUM_BASE_URL and the way out of this machine")];
  const findings = [lyceumClock(answer.date, (sentAt + Date.now()) / 2)];
  // A login's token is the service's own: a second login could end it.
  if (!isKey) return [...findings, passed("credits", "not asked for: the service has a login, no API key")];
  if (answer.status === 401 || answer.status === 403)
    return [
      ...findings,
      failed("credits", `refused (${answer.status})`, "check LYCEUM_API_KEY and LYCEUM_ORG_SLUG"),
    ];
  const left = creditsIn(answer.text);
  if (answer.status !== 200 || left === null)
    return [...findings, passed("credits", `unknown: answered ${answer.status} without credits`)];
  const detail = `${left} left`;
  return [
    ...findings,
    left > 0 ? passed("credits", detail) : failed("credits", detail, "buy credits at Lyceum"),
  ];
}

/** Numbers may come as texts. */
function creditsIn(text: string): number | null {
  try {
    const { remaining_credits: remaining } = JSON.parse(text) as { remaining_credits?: unknown };
    const left = Number(remaining);
    return remaining === undefined || remaining === null || remaining === "" || Number.isNaN(left)
      ? null
      : left;
  } catch {
    return null;
  }
}

/** Whole seconds. */
function lyceumClock(date: string | null, now: number): Check {
  const at = Date.parse(date ?? "");
  if (Number.isNaN(at)) return passed("lyceum clock", "unknown: no Date header");
  const skewMs = at + 500 - now;
  if (Math.abs(skewMs) < MAX_SKEW_MS) return passed("lyceum clock", "agrees with this machine's");
  return failed(
    "lyceum clock",
    `${Math.round(skewMs / 1_000)} s ahead of this machine's`,
    "set this machine's clock by NTP",
  );
}

const MAX_SKEW_MS = 30_000;

/** A signed callback of no execution, which the service answers and forgets. */
async function callbackPath({ publicUrl, callbackSecrets }: Config, signal: AbortSignal): Promise<Check[]> {
  const [secret] = callbackSecrets;
  if (publicUrl === null || secret === undefined) return [];
  const path = `/callbacks/lyceum/${SELF_TEST_ID}/${callbackToken(secret, SELF_TEST_ID)}`;
  const answer = await ask(publicUrl + path, signal, { method: "POST", body: "{}" });
  const hint = "check DNS, certificate, proxy and path of PUBLIC_URL; Lyceum comes the same way";
  if (typeof answer === "string") return [failed("callback path", `${publicUrl}: ${answer}`, hint)];
  if (answer.selfTest === "ok") return [passed("callback path", `${publicUrl} leads to the service`)];
  if (answer.status === 401)
    return [failed("callback path", "the service does not know this secret", "compare CALLBACK_SECRETS")];
  return [failed("callback path", `${publicUrl} answers ${answer.status}, and not as Proctor does`, hint)];
}

/** Or the reason why there is no answer. */
async function ask(url: string, signal: AbortSignal, request: RequestInit) {
  try {
    const response = await fetch(url, {
      ...request,
      redirect: "manual",
      signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]),
    });
    const isShort = Number(response.headers.get("Content-Length") ?? 0) <= MAX_BYTES;
    const text = isShort ? (await response.text()).slice(0, MAX_BYTES) : "";
    const [date, selfTest] = [response.headers.get("Date"), response.headers.get(SELF_TEST_HEADER)];
    return { status: response.status, text, date, selfTest };
  } catch (error) {
    signal.throwIfAborted();
    const { cause, message } = error as { cause?: { code?: string }; message: string };
    return cause?.code ?? message;
  }
}

const MAX_BYTES = 64 * 1024;
