// Resolves the service's URL and the API key from options or environment.
import { ProctorError } from "./error.ts";

export interface Endpoint {
  base: string;
  /** Null if the browser's session authenticates the caller. */
  apiKey: string | null;
}

interface EndpointOptions {
  url?: string | undefined;
  apiKey?: string | null | undefined;
}

/** @throws ProctorError with code `misconfigured` */
export function endpointOf({
  url = fromEnvironment("PROCTOR_URL"),
  apiKey = fromEnvironment("PROCTOR_API_KEY"),
}: EndpointOptions): Endpoint {
  if (!url) throw misconfigured("the service's URL is missing: pass `url` or set PROCTOR_URL");
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url))
    throw misconfigured("the service's URL is invalid; write it as https://proctor.example.com");
  const base = url.trim().replace(/\/{1,100}$/, "");
  if (apiKey === null) return { base, apiKey };
  if (!apiKey) throw misconfigured("the API key is missing: pass `apiKey` or set PROCTOR_API_KEY");
  // Do not quote the key: it may be valid except for a typo.
  if (!/^[\x21-\x7e]+$/.test(apiKey.trim()))
    throw misconfigured("the API key contains white space or characters that HTTP headers cannot carry");
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
