// The service, spoken to by its own client; the session's cookie takes the place of a key.
import { createClient, type Problem, ProctorError } from "../client/client.ts";

/** Below a proxy's prefix, too: the page knows where it was loaded from. */
const base = new URL(".", location.href).href;

export const api = createClient({ url: base, apiKey: null, retry: { attempts: 2 } });

export const serviceUrl = base.replace(/\/$/, "");

export function isSignedOut(error: unknown): boolean {
  return error instanceof ProctorError && error.status === 401;
}

/** The service's version has no such route. */
export function isMissingRoute(error: unknown): boolean {
  return error instanceof ProctorError && error.problem?.detail === "no route has this path";
}

/** With the request id for an operator. */
export function explain(error: unknown): { title: string; detail: string; requestId: string | null } {
  if (!(error instanceof ProctorError))
    return { title: "The page met an error", detail: String(error), requestId: null };
  const { problem, requestId, code } = error;
  if (code === "unreachable")
    return { title: "Proctor does not answer", detail: "It is tried again by itself.", requestId };
  return {
    title: problem?.title ?? "The answer cannot be read",
    detail: problem === null ? error.message : detailOf(problem),
    requestId,
  };
}

function detailOf({ detail, errors = [] }: Problem): string {
  return errors.length > 1 ? errors.map((one) => `${one.pointer} ${one.detail}`).join("; ") : detail;
}
