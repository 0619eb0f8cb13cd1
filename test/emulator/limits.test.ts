// Switches for what Lyceum says of times: of limits in headers, of the life of a token.
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { openScene, type Scene } from "./scene.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});
beforeEach(() => scene.emulator.reset());
afterAll(() => scene.close());

const set = (changes: Parameters<Scene["emulator"]["setChaos"]>[0]) => scene.emulator.setChaos(changes);

it("headers name a time in any form", async () => {
  const at = Date.now() + 10_000;
  set({ limit: { starts: 0, window: "10s" } });
  const forms: [string, (value: string | null) => boolean][] = [
    ["seconds", (value) => Number(value) >= 8 && Number(value) <= 10],
    ["ms", (value) => Number(value) > 8000 && Number(value) <= 10_000],
    ["date", (value) => Math.abs(Date.parse(value ?? "") - at) < 3000 && value?.endsWith("GMT") === true],
    ["iso", (value) => Math.abs(Date.parse(value ?? "") - at) < 3000 && value?.endsWith("Z") === true],
    ["epoch", (value) => Math.abs(Number(value) * 1000 - at) < 3000],
    ["epoch_ms", (value) => Math.abs(Number(value) - at) < 3000],
    ["absurd", (value) => value === "9999999999"],
    ["none", (value) => value === null],
  ];
  for (const [form, fits] of forms) {
    set({ retry_after: form as "ms", reset: form as "ms" });
    const { status, headers } = await scene.image();
    expect(status).toBe(429);
    for (const name of ["retry-after", "x-ratelimit-reset"])
      expect([form, name, fits(headers.get(name))]).toEqual([form, name, true]);
  }
});

it("a good token can claim to have expired, or name no expiry", async () => {
  for (const [token_exp, isFit] of [
    ["past", (exp: number) => exp * 1000 < Date.now()],
    ["absent", (exp: number) => exp === undefined],
  ] as const) {
    set({ token_exp });
    const account = { email: "emulator@example.test", password: "emulator" };
    const { access_token } = (await scene.post("/auth/login", account)).body;
    const [, claims = ""] = access_token.split(".");
    expect(isFit(JSON.parse(Buffer.from(claims, "base64url").toString()).exp)).toBe(true);
    expect((await scene.call("GET", "/user/status", undefined, access_token)).status).toBe(200);
  }
});
