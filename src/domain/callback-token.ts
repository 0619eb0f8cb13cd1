// The token of a callback URL: an HMAC over the execution's id, so that a leaked URL opens a single execution.
import { createHmac, timingSafeEqual } from "node:crypto";

export function callbackToken(secret: string, executionId: string): string {
  return createHmac("sha256", secret).update(`lyceum-callback:${executionId}`).digest("base64url");
}

/** Compared in constant time. */
export function isCallbackToken(secrets: readonly string[], executionId: string, token: string): boolean {
  const given = Buffer.from(token.padEnd(TOKEN_LENGTH).slice(0, TOKEN_LENGTH));
  let matches = false;
  for (const secret of secrets) {
    const expected = Buffer.from(callbackToken(secret, executionId));
    if (given.length === expected.length && timingSafeEqual(given, expected)) matches = true;
  }
  return matches && token.length === TOKEN_LENGTH;
}

const TOKEN_LENGTH = 43;
