// Resolves the service's URL and the API key: from the caller, else from the environment.
import { ProctorError } from "./error.ts";

export interface Endpoint {
  /** Without a slash at the end. */
  base: string;
  /** Null: the browser's session speaks for the caller. */
  apiKey: string | null;
}

interface Given {
  url?: string | undefined;
  apiKey?: string | null | undefined;
}

/** @throws ProctorError of code `misconfigured`, which no repetition mends */
export function endpointOf({
  url = fromEnvironment("PROCTOR_URL"),
  apiKey = fromEnvironment("PROCTOR_API_KEY"),
}: Given): Endpoint {
  if (!url) throw misconfigured("there is no service to talk to: give `url`, or set PROCTOR_URL");
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url))
    throw misconfigured("the service's URL is none; write it as https://proctor.example.com");
  const base = url.trim().replace(/\/{1,100}$/, "");
  if (apiKey === null) return { base, apiKey };
  if (!apiKey) throw misconfigured("there is no API key: give `apiKey`, or set PROCTOR_API_KEY");
  // Not quoted: it may be a key with a slip in it.
  if (!/^[\x21-\x7e]+$/.test(apiKey.trim()))
    throw misconfigured("the API key holds white space or characters that no HTTP header takes");
  return { base, apiKey: apiKey.trim() };
}

/** Browsers have no environment. */
function fromEnvironment(name: string): string | undefined {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  return process?.env?.[name];
}

function misconfigured(message: string): ProctorError {
  return new ProctorError({ code: "misconfigured", message, attempts: 0 });
}
