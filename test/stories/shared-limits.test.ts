// Limits of Lyceum that several instances on one PostgreSQL keep together, beyond those on starts.
import { expect, test } from "vitest";
import { createDatabase } from "../support/databases.ts";
import { image, type Service, type ServiceOptions, startService, until } from "../support/service.ts";

/** Instances on one database that use the Lyceum of the first. */
async function startInstances(count: number, { settings, ...options }: ServiceOptions = {}) {
  const { target, remove } = await createDatabase(false);
  if (target.kind !== "postgres") throw new Error("not a PostgreSQL");
  const own = { ...settings, DATABASE_URL: target.url };
  const first = await startService({ ...options, settings: own });
  const shared = { ...own, LYCEUM_BASE_URL: first.emulator.url, PUBLIC_URL: first.url() };
  const instances = [first];
  while (instances.length < count) instances.push(await startService({ settings: shared }));
  return {
    first,
    instances,
    async [Symbol.asyncDispose]() {
      for (const service of instances.toReversed()) await service.close();
      await remove();
    },
  };
}

/** Asks Lyceum at this instance, now. */
const measure = (service: Service, runId: string) => service.ann.get(`/v1/runs/${runId}/metrics?step=15s`);

test("instances that restart again and again make together no more logins than Lyceum's limit", async () => {
  const account = { email: "ops@example.test", password: "password-canary-4b3c2d1e" };
  await using shared = await startInstances(3, {
    settings: {
      LYCEUM_API_KEY: undefined,
      LYCEUM_EMAIL: account.email,
      LYCEUM_PASSWORD: account.password,
    },
    emulator: { accounts: [account] },
  });
  const { first, instances } = shared;
  const { id } = await first.run(image());
  const answers: number[] = [];
  for (let life = 0; life < 5; life++) {
    for (const service of instances) answers.push((await measure(service, id)).status);
    await Promise.all(instances.map((service) => service.restart()));
  }
  const logins = first.emulator.calls().filter(({ route }) => route === "/auth/login");
  expect(logins.filter(({ status }) => status === 200)).toHaveLength(10);
  expect(logins).toHaveLength(10);
  expect(answers.filter((status) => status === 200).length).toBeGreaterThan(0);
  expect(answers.at(-1)).toBe(503);
}, 60_000);

test("a 429 on a read at one instance holds the reads of all others", async () => {
  await using shared = await startInstances(3);
  const { first, instances } = shared;
  const { id } = await first.run(image());
  first.emulator.setChaos({ throttle: { others: { next: 1 } }, retry_in: "1h" });
  expect((await measure(first, id)).status).toBe(503);
  for (const service of instances)
    await until("the pause", async () => (await service.status()).lyceum.limits.read.paused_until !== null);
  const before = first.emulator.calls().length;
  for (const service of instances) expect((await measure(service, id)).status).toBe(503);
  expect(first.emulator.calls()).toHaveLength(before);
}, 60_000);

const several = (count: number) => ({ runs: Array.from({ length: count }, () => image()) });

test("an outage of starts costs the starts in flight at one instance, and no more at the others", async () => {
  const concurrency = 4;
  await using shared = await startInstances(3, { settings: { SUBMIT_CONCURRENCY: String(concurrency) } });
  const { first, instances } = shared;
  first.emulator.setChaos({ gateway: [{ routes: "starts", answer: "login" }] });
  const { id } = await first.submit(several(20));
  for (const service of instances)
    await until("the pause", async () => (await service.status()).lyceum.starts.state === "paused");
  const sent = first.starts().length;
  first.emulator.setChaos({ gateway: [] });
  const runs = await first.ended(id);
  expect(runs.map(({ status, attempts }) => [status, attempts])).toEqual(runs.map(() => ["succeeded", 1]));
  // Each instance may have sent a probe meanwhile.
  expect(sent).toBeLessThanOrEqual(concurrency + instances.length);
}, 90_000);

test("an instance without a way to Lyceum does not stop the starts of the others", async () => {
  await using shared = await startInstances(3);
  const [one, other, lonely] = shared.instances as [Service, Service, Service];
  lonely.network.lyceumIsUp = false;
  for (const service of [one, other, lonely]) {
    const { id } = await service.submit(several(6));
    const runs = await one.ended(id);
    expect(runs.map(({ status }) => status)).toEqual(runs.map(() => "succeeded"));
  }
  await until("the starts", async () => (await one.status()).lyceum.starts.state === "flowing");
}, 90_000);
