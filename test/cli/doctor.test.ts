// The doctor on the machine of the service: the disk, Lyceum, and the way back from it through PUBLIC_URL.
import { createServer } from "node:http";
import { expect, it } from "vitest";
import { fileSystemOf } from "../../src/lib/disk.ts";
import { poolerMode } from "../../src/store/db/pooler.ts";
import { createDatabase } from "../support/databases.ts";
import { apiKeys, callbackSecret, image, lyceumKey, startService, until } from "../support/service.ts";
import { proctor } from "./command.ts";

it("checks disk, Lyceum, credits and the callback path, and leaves no trace in log and counters", async () => {
  await using service = await startService();
  const env = {
    PROCTOR_API_KEY: apiKeys.admin,
    LYCEUM_BASE_URL: service.emulator.url,
    LYCEUM_API_KEY: lyceumKey,
    API_KEYS: `ann:${apiKeys.ann}`,
    CALLBACK_SECRETS: callbackSecret,
    PUBLIC_URL: service.url(),
    DATABASE_URL: `sqlite:${service.database}`,
  };
  const linesBefore = service.logLines.length;
  const callbacksBefore = (await service.status()).callbacks;
  const { code, json } = await proctor(service.url(), ["doctor", "--json"], { env });
  const lines = service.logLines.slice(linesBefore).map((line) => JSON.parse(line));
  // The status above was read with ann's key.
  expect(lines.filter(({ event, key_name }) => event === "http_request" && key_name !== "ann")).toEqual([]);
  const checks = new Map<string, { ok: boolean; detail: string }>(
    json().checks.map((check: { check: string }) => [check.check, check]),
  );
  expect(checks.get("callback path")).toMatchObject({
    ok: true,
    detail: `${service.url()} leads to the service`,
  });
  expect(checks.get("lyceum clock")).toMatchObject({ ok: true, detail: "agrees with this machine's" });
  expect(checks.get("credits")?.detail).toMatch(/^[\d.]+ left$/);
  expect(checks.get("disk")?.detail).toMatch(/^fsync [\d.]+ ms, [\d.]+ ms at most$/);
  expect([...checks.keys()]).toEqual(expect.arrayContaining(["space", "file system", "key", "queue"]));
  expect(code).toBe([...checks.values()].every(({ ok }) => ok) ? 0 : 1);
  expect((await service.status()).callbacks).toEqual(callbacksBefore);
  expect(lines.filter(({ level }) => level !== 20 && level !== "debug")).toEqual([]);
  expect(await (await fetch(`${service.url()}/metrics`)).text()).not.toMatch(
    /route="\/(livez|readyz|v1\/whoami)"/,
  );

  const stranger = createServer((_, answer) => answer.writeHead(204).end());
  await new Promise<void>((resolve) => stranger.listen(0, "127.0.0.1", resolve));
  const { port } = stranger.address() as { port: number };
  const elsewhere = { ...env, PUBLIC_URL: `http://127.0.0.1:${port}`, LYCEUM_API_KEY: "lk_unknown" };
  const wrong = await proctor(service.url(), ["doctor"], { env: elsewhere });
  stranger.close();
  expect(wrong.stdout).toMatch(/✘ callback path +\S+ answers 204, and not as Proctor does/);
  expect(wrong.stdout).toMatch(/✘ credits +refused \(401\)/);
  expect(wrong.code).toBe(1);
  const forged = { ...env, CALLBACK_SECRETS: "x".repeat(32) };
  expect((await proctor(service.url(), ["doctor"], { env: forged })).stdout).toMatch(
    /✘ callback path +the service does not know this secret/,
  );
});

it("doctor names hardware that runs wait for and Lyceum does not list", async () => {
  await using service = await startService();
  await until("the catalogue", async () => (await service.ann.get("/v1/machine-types")).body.data.length > 0);
  service.network.lyceumIsUp = false;
  await service.submit({ runs: [image("", { execution_type: "gpu.z900" }), image()] });
  const { stdout } = await proctor(service.url(), ["doctor"], { env: { PROCTOR_API_KEY: apiKeys.admin } });
  expect(stdout).toMatch(/✘ hardware +runs wait for gpu\.z900, which Lyceum does not list/);
});

it("doctor finds the file system of a folder by its longest mount", () => {
  const mounts =
    "overlay / overlay rw 0 0\nserver:/x /data nfs4 rw 0 0\n/dev/sda1 /data/my\\040disk ext4 rw 0 0\n";
  expect(fileSystemOf("/data", mounts)).toBe("nfs4");
  expect(fileSystemOf("/data/my disk/db", mounts)).toBe("ext4");
  expect(fileSystemOf("/database", mounts)).toBe("overlay");
  expect(fileSystemOf("/data", "")).toBeNull();
});

it("doctor detects that PostgreSQL is reached without a pooler", async () => {
  const database = await createDatabase(true);
  if (database.target.kind !== "postgres") throw new Error("no PostgreSQL");
  expect(await poolerMode(database.target.url)).toBe("session");
  await database.remove();
});
