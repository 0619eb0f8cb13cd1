// Ids of executions name run and attempt to somebody who knows the run: a start that the database forgot is recognized.
import { hash } from "node:crypto";

/** @param fresh a new id: its time and last characters make the attempt's id unique if the attempt is claimed again. */
export function executionIdOf(fresh: string, runId: string, attempt: number): string {
  return fresh.slice(0, TIME_END) + fingerprintOf(runId, attempt) + fresh.slice(FINGERPRINT_END);
}

/** 60 bits: two attempts with the same fingerprint are not to be expected among millions of runs. */
export function fingerprintOf(runId: string, attempt: number): string {
  const digest = hash("sha256", `${runId} ${attempt}`, "buffer");
  return Array.from(digest.subarray(0, FINGERPRINT_LENGTH), (byte) => ALPHABET[byte % ALPHABET.length]).join(
    "",
  );
}

export function fingerprintIn(executionId: string): string {
  return executionId.slice(TIME_END, FINGERPRINT_END);
}

/** Crockford's base 32, as in a ULID. */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
/** `exe_` and the ten characters of a ULID's time. */
const TIME_END = "exe_".length + 10;
const FINGERPRINT_LENGTH = 12;
const FINGERPRINT_END = TIME_END + FINGERPRINT_LENGTH;
