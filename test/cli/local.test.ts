// The commands that run something on this machine, as a newcomer starts them.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { until } from "../support/service.ts";
import { folder, proctor, type Running, start } from "./command.ts";

test("dev ends its first job green, shows a failure after it, and stops in good order", async () => {
  const dev = await serving({});
  expect(dev.said()).toMatch(/export PROCTOR_URL=http:\/\/127\.0\.0\.1:\d+ PROCTOR_API_KEY=dev-\w+\n/);
  expect(dev.said()).toMatch(
    /"first steps", 3 runs[\s\S]*100 % {2}succeeded[\s\S]*"a failure", 1 run\n[\s\S]*✘ fails/,
  );
  expect(dev.said().trim()).toMatch(/^Open +http:\/\/127\.0\.0\.1:\d+\/#\/sign-in\/[0-9a-f]{48} /);
  expect(dev.said()).not.toContain("simulated");
  dev.child.kill("SIGTERM");
  expect((await dev.ended).code).toBe(0);
});

test("without python3, dev says that Python is simulated, and the failing run fails", async () => {
  using empty = folder({});
  const dev = await serving({ PATH: empty.path });
  expect(dev.said()).toContain("python3 is not on the PATH");
  expect(dev.said()).toMatch(/✘ fails.*exit 3/);
  dev.child.kill("SIGTERM");
  await dev.ended;
});

test("dev heeds PORT, says why it took another one, and keeps its database where it is told to", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const { port } = other.address() as AddressInfo;
  using kept = folder({});
  const dev = await serving({ PORT: String(port) }, ["--data", join(kept.path, "data")]);
  expect(dev.said()).toContain(`Port ${port} is taken by another program`);
  dev.child.kill("SIGTERM");
  await dev.ended;
  other.close();
  const env = { DATABASE_URL: `sqlite:${join(kept.path, "data", "proctor.db")}` };
  expect((await proctor("", ["migrate"], { env })).stdout).toBe("nothing to apply\n");
});

test("migrate needs no setting but DATABASE_URL", async () => {
  using place = folder({});
  const env = { DATABASE_URL: `sqlite:${join(place.path, "proctor.db")}` };
  expect(await proctor("", ["migrate"], { env })).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^applied: .*initial/),
  });
  const wrong = await proctor("", ["migrate"], { env: { DATABASE_URL: "oracle:x" } });
  expect(wrong).toMatchObject({ code: 78 });
  expect(wrong.stderr).toContain("DATABASE_URL: is neither sqlite:");
});

/** `proctor dev` on a port of its own, once it has nothing more to show. */
async function serving(env: Record<string, string>, args: string[] = []): Promise<Running> {
  const port = env.PORT === undefined ? ["--port", "18080"] : [];
  const dev = start("", ["dev", ...port, ...args], { env });
  await until("the end of what dev shows", () => dev.said().includes("Serving until Ctrl-C"));
  return dev;
}
