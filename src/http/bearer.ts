// API keys in Authorization headers. An address that sends many wrong keys is paused, except for keys that it used
// before: a guesser learns nothing, and workers behind the same proxy go on.
import type { Caller, Keyring } from "./auth.ts";
import { createWrongKeyLimit, MAX_WRONG_BEARERS } from "./wrong-key-limit.ts";

export type BearerResult =
  | { type: "caller"; caller: Caller }
  | { type: "wrong" }
  | { type: "paused"; pauseMs: number };

export interface BearerGate {
  read(authorization: string | undefined, address: string, now: number): BearerResult;
}

export function createBearerGate(keys: Keyring, maxWrong = MAX_WRONG_BEARERS): BearerGate {
  const limit = createWrongKeyLimit(maxWrong);
  const used = new Map<string, Set<string>>();

  function noteUsed(address: string, name: string): void {
    const names = used.get(address) ?? new Set();
    if (names.has(name)) return;
    used.delete(address);
    used.set(address, names.add(name));
    const [first] = used.keys();
    if (used.size > MAX_ADDRESSES && first !== undefined) used.delete(first);
  }

  return {
    read(authorization, address, now) {
      // Nothing can be guessed without a key.
      if (authorization === undefined) return { type: "wrong" };
      const caller = keys.authenticate(authorization);
      const pauseMs = limit.pauseMs(address, now);
      if (caller !== null && (pauseMs === 0 || used.get(address)?.has(caller.name) === true)) {
        noteUsed(address, caller.name);
        return { type: "caller", caller };
      }
      if (pauseMs > 0) return { type: "paused", pauseMs };
      limit.noteWrong(address, now);
      return { type: "wrong" };
    },
  };
}

const MAX_ADDRESSES = 10_000;
