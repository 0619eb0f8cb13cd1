// Wrong keys in Authorization headers: an address that sends many is paused, and nobody else is.
import { expect, it } from "vitest";
import { authenticator, keyring } from "../../src/http/auth.ts";
import { createBearerGate } from "../../src/http/bearer.ts";
import { MAX_WRONG_BEARERS } from "../../src/http/wrong-key-limit.ts";
import { startService } from "../support/service.ts";

const keys = [
  { name: "ann", key: "a".repeat(32), role: "submit" as const },
  { name: "bob", key: "b".repeat(32), role: "submit" as const },
];
const bearer = (letter: string) => `Bearer ${letter.repeat(32)}`;

function gate() {
  const { read } = createBearerGate(keyring(keys, authenticator(keys)), 3);
  return (letter: string, address: string, now = 0) => read(bearer(letter), address, now).type;
}

it("after many wrong keys an address learns nothing new until the minute is over", () => {
  const read = gate();
  for (let tried = 0; tried < 3; tried++) expect(read("x", "10.0.0.1", tried)).toBe("wrong");
  expect(read("x", "10.0.0.1", 4)).toBe("paused");
  expect(read("a", "10.0.0.1", 4)).toBe("paused");
  expect(read("a", "10.0.0.2", 4)).toBe("caller");
  expect(read("a", "10.0.0.1", 60_001)).toBe("caller");
});

it("a key that the address used before is accepted during the address's pause", () => {
  const read = gate();
  expect(read("a", "10.0.0.1")).toBe("caller");
  for (let tried = 0; tried < 3; tried++) read("x", "10.0.0.1");
  expect(read("a", "10.0.0.1")).toBe("caller");
  expect(read("b", "10.0.0.1")).toBe("paused");
});

it("requests without a key do not count as attempts", () => {
  const { read } = createBearerGate(keyring(keys, authenticator(keys)), 3);
  for (let tried = 0; tried < 10; tried++) expect(read(undefined, "10.0.0.1", 0).type).toBe("wrong");
});

it("over HTTP the pause is a 429 with Retry-After", async () => {
  await using service = await startService();
  const ask = (key: string) =>
    fetch(`${service.url()}/v1/jobs`, { headers: { Authorization: `Bearer ${key}` } });
  for (let tried = 0; tried < MAX_WRONG_BEARERS; tried++) {
    const answer = await ask(`wrong-${tried}`);
    await answer.body?.cancel();
    expect(answer.status).toBe(401);
  }
  const paused = await ask("wrong");
  expect(paused.status).toBe(429);
  expect(Number(paused.headers.get("Retry-After"))).toBeGreaterThan(0);
  expect(await paused.json()).toMatchObject({ type: "urn:proctor:problem:too-many-attempts" });
});
