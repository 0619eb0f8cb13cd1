// Allowed destinations: each attempt checks the addresses behind a name and connects to a checked address.
import { expect, test } from "vitest";
import { destinationFinder, type Resolve } from "../../../src/workers/deliver/destination.ts";
import { onSqlite } from "../../support/databases.ts";
import { submitted } from "../../support/scene.ts";
import { eventually } from "../../support/wait.ts";
import { lastError, receiverOf, sceneOf, subscribe } from "../delivering.ts";

onSqlite("an address", (open) => {
  const rebinding = (...answers: string[][]): Resolve => {
    const left = [...answers];
    return async () =>
      (left.length > 1 ? left.shift() : left[0])?.map((address) => ({
        address,
        family: address.includes(":") ? 6 : 4,
      })) ?? [];
  };

  test("an address that was checked is the one that is connected to, whatever the name says a moment later", async () => {
    const receiver = await receiverOf();
    let lookUps = 0;
    const resolve: Resolve = async () => [
      { address: ++lookUps === 1 ? "127.0.0.1" : "192.168.0.1", family: 4 },
    ];
    const scene = sceneOf(await open(), { resolve });
    await subscribe(scene.context, `http://hook.example:${receiver.port}/x`);
    await submitted(scene.context, 1);
    await scene.work();
    expect(receiver.received).toMatchObject([{ headers: { host: `hook.example:${receiver.port}` } }]);
    expect(lookUps).toBe(1);
  });

  test("an address that was public at the subscription and is private at the delivery is not connected to", async () => {
    const receiver = await receiverOf();
    const resolve = rebinding(["93.184.215.14"], ["127.0.0.1"], ["127.0.0.1"]);
    const scene = sceneOf(await open(), { resolve, allow: [] });
    const url = `https://hook.example:${receiver.port}/`;
    const find = destinationFinder({ allowPrivate: [], timers: scene.time, resolve });
    expect(await find(url)).toMatchObject({ ok: true });
    await subscribe(scene.context, url);
    await submitted(scene.context, 1);
    await scene.work();
    expect(await scene.sole()).toMatchObject({ state: "pending", attempts: 1 });
    expect(lastError(await scene.sole())).toBe("address_refused");
    expect(receiver.received).toEqual([]);
  });

  test.each([
    ["one of several A records that is private", ["93.184.215.14", "10.0.0.1"], "address_refused"],
    ["an AAAA record beside a public A record", ["93.184.215.14", "::1"], "address_refused"],
    ["a private one in the clothes of IPv6", ["::ffff:10.0.0.1"], "address_refused"],
    ["none", [], "unresolved"],
    ["a public one in plain HTTP", ["93.184.215.14"], "plain_http"],
    ["a public one beside an allowed one in plain HTTP", ["127.0.0.1", "93.184.215.14"], "plain_http"],
  ])("%s: refused", async (_, addresses, error) => {
    const scene = sceneOf(await open(), { resolve: rebinding(addresses) });
    await subscribe(scene.context, "http://hook.example:8080/");
    await submitted(scene.context, 1);
    await scene.work();
    expect(lastError(await scene.sole())).toBe(error);
  });

  test.each([
    "http://169.254.169.254/latest",
    "https://[::1]/",
    "https://[::ffff:a00:1]/",
    "https://0x7f.1/",
    "https://2130706433/",
  ])("written into the URL is checked all the same: %s", async (url) => {
    const scene = sceneOf(await open(), { allow: [] });
    await subscribe(scene.context, url);
    await submitted(scene.context, 1);
    await scene.work();
    expect(lastError(await scene.sole())).toBe("address_refused");
  });

  test("an address is looked up one name at a time, so that Lyceum's is not kept from being looked up", async () => {
    let asked = 0;
    const scene = sceneOf(await open(), {
      resolve: () => {
        asked++;
        return new Promise(() => {});
      },
    });
    for (const name of ["a", "b", "c"]) await subscribe(scene.context, `https://${name}.example/`);
    await submitted(scene.context, 1);
    await scene.worker.runOnce();
    await eventually(() => expect(scene.time.waiting()).toBe(3));
    expect(asked).toBe(1);
    scene.time.pass(5_000);
    await scene.worker.idle();
    expect((await scene.deliveries()).map(lastError)).toEqual(["unresolved", "unresolved", "unresolved"]);
  });

  test("an address of a resolver that does not answer is given up after five seconds", async () => {
    const scene = sceneOf(await open(), { resolve: () => new Promise(() => {}) });
    await subscribe(scene.context, "https://hook.example/");
    await submitted(scene.context, 1);
    await scene.worker.runOnce();
    await eventually(() => expect(scene.time.waiting()).toBe(1));
    scene.time.pass(5_000);
    await scene.worker.idle();
    expect(lastError(await scene.sole())).toBe("unresolved");
  });
});
