// The webhook routes: what is taken, who sees what, and that a secret is shown once.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MAX_WEBHOOKS } from "../../src/orchestration/webhooks.ts";
import { apiKeys, image, type Service, startService } from "../support/service.ts";

const jobSecret = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;
const names: Record<string, string[]> = {
  "public.example": ["93.184.215.14", "2606:4700::1111"],
  "private.example": ["10.0.0.1"],
  "mixed.example": ["93.184.215.14", "127.0.0.1"],
  "allowed.example": ["10.99.0.1"],
};

let service: Service;
beforeAll(async () => {
  service = await startService({
    settings: { WEBHOOK_SECRET: jobSecret, WEBHOOK_ALLOW_PRIVATE: "10.99.0.0/16" },
    surroundings: {
      resolve: async (host) => {
        const addresses = names[host];
        if (addresses === undefined) throw new Error("ENOTFOUND");
        return addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
      },
    },
  });
});
afterAll(() => service.close());

const url = "https://public.example/hook";
const webhooks = "/v1/webhooks";

async function made(client: Service["ann"], body: object = {}) {
  const answer = await client.post(webhooks, { url, types: ["job.succeeded"], ...body });
  expect(answer.status).toBe(201);
  return answer.body;
}

async function cleared(): Promise<void> {
  const { data } = (await service.admin.get(`${webhooks}?limit=1000`)).body;
  for (const { id } of data) await service.admin.call("DELETE", `${webhooks}/${id}`);
}

describe("a subscription", () => {
  it("a webhook is created with 201 and a secret that no other answer and no log line shows", async () => {
    const answer = await service.ann.post(webhooks, { url, types: ["job.*", "run.failed"] });
    expect(answer.status).toBe(201);
    const { id, secret, ...shown } = answer.body;
    expect(answer.headers.get("Location")).toBe(`${webhooks}/${id}`);
    expect(id).toMatch(/^whk_[0-9a-z]{26}$/);
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(shown).toEqual({
      url,
      types: ["job.*", "run.failed"],
      api_key: "ann",
      scope: "own_jobs",
      status: "ok",
      created_at: expect.stringMatching(/Z$/),
      failing_since: null,
      disabled_at: null,
      disabled_reason: null,
    });
    const again = await service.ann.get(`${webhooks}/${id}`);
    expect(again.body).toEqual({ id, ...shown });
    expect((await service.ann.get(webhooks)).body.data).toEqual([{ id, ...shown }]);
    const rotated = await service.ann.post(`${webhooks}/${id}/rotate`);
    expect(rotated.body).toMatchObject({ id, secret: expect.stringMatching(/^whsec_/) });
    expect(rotated.body.secret).not.toBe(secret);
    await service.ann.get(`${webhooks}/${id}/deliveries`);
    for (const one of [secret, rotated.body.secret]) {
      expect(service.answers.filter((text) => text.includes(one))).toHaveLength(1);
      expect(service.logLines.join("")).not.toContain(one.slice(6));
    }
    expect(service.logLines.join("")).not.toContain("public.example");
    await cleared();
  });

  it("a caller may bring its own secret, also at the rotation", async () => {
    const [own, other] = [9, 10].map((byte) => `whsec_${Buffer.alloc(24, byte).toString("base64")}`);
    const { id, secret } = await made(service.ann, { secret: own });
    expect(secret).toBe(own);
    expect((await service.ann.post(`${webhooks}/${id}/rotate`, { secret: other })).body.secret).toBe(other);
    expect((await service.ann.post(`${webhooks}/${id}/rotate`, { secret: "weak" })).status).toBe(422);
    await cleared();
  });

  it.each([
    ["a name of a private address", { url: "https://private.example/" }, "/url", "not public"],
    ["a name with one private address of two", { url: "https://mixed.example/" }, "/url", "not public"],
    ["a private address", { url: "https://192.168.1.1/" }, "/url", "not public"],
    ["a mapped address", { url: "https://[::ffff:127.0.0.1]/" }, "/url", "not public"],
    ["the metadata service", { url: "http://169.254.169.254/latest/meta-data" }, "/url", "not public"],
    ["a name that does not exist", { url: "https://nobody.example/" }, "/url", "cannot be resolved"],
    ["plain HTTP to a public address", { url: "http://public.example/" }, "/url", "plain HTTP"],
    ["credentials", { url: "https://ann:pw@public.example/" }, "/url", "user name"],
    ["a control character", { url: "https://8.8.8.8/\u0000" }, "/url", "control characters"],
    ["a line break", { url: "https://8.8.8.8/a\nb" }, "/url", "control characters"],
    ["another scheme", { url: "file:///etc/passwd" }, "/url", "not a URL"],
    ["an event that is none", { types: ["job.exploded"] }, "/types/0", ""],
    ["no events", { types: [] }, "/types", ""],
    ["a weak secret", { secret: "whsec_c2hvcnQ=" }, "/secret", "24"],
    ["a field that is none", { events: ["job.*"] }, "/events", "not a known field"],
  ])("a webhook to or with %s is refused with its reason", async (_, change, pointer, why) => {
    const answer = await service.ann.post(webhooks, { url, types: ["*"], ...change });
    expect(answer.status).toBe(422);
    expect(answer.body.errors).toEqual([{ pointer, detail: expect.stringContaining(why) }]);
    expect(answer.text).not.toMatch(/10\.0\.0\.1|:pw@/);
  });

  it("an address that the operator allowed is accepted, over plain HTTP as well", async () => {
    await made(service.ann, { url: "http://allowed.example:8080/" });
    await cleared();
  });

  it("the number of webhooks per key is limited", async () => {
    for (let count = 0; count < MAX_WEBHOOKS; count++) await made(service.ann);
    const answer = await service.ann.post(webhooks, { url, types: ["*"] });
    expect(answer).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining(String(MAX_WEBHOOKS)) },
    });
    await made(service.bob);
    const first = (await service.ann.get(`${webhooks}?limit=15`)).body;
    const rest = (await service.ann.get(`${webhooks}?limit=15&cursor=${first.next_cursor}`)).body;
    expect([first.data.length, rest.data.length, rest.next_cursor]).toEqual([15, MAX_WEBHOOKS - 15, null]);
    await cleared();
  });
});

describe("roles:", () => {
  it("a submitter sees and changes its own webhooks, a reader sees all and changes none, an administrator does both", async () => {
    const [anns, bobs, admins] = [
      await made(service.ann),
      await made(service.bob),
      await made(service.admin),
    ];
    expect([anns.scope, admins.scope]).toEqual(["own_jobs", "all_jobs"]);
    const seenBy = async (client: Service["ann"]) =>
      (await client.get(webhooks)).body.data.map((one: { id: string }) => one.id).toSorted();
    expect(await seenBy(service.ann)).toEqual([anns.id]);
    expect(await seenBy(service.reader)).toEqual([anns.id, bobs.id, admins.id].toSorted());
    expect(await seenBy(service.admin)).toEqual([anns.id, bobs.id, admins.id].toSorted());
    const missing = "whk_01j0000000000000000000000a";
    for (const [method, path] of [
      ["GET", ""],
      ["DELETE", ""],
      ["POST", "/rotate"],
      ["POST", "/enable"],
      ["GET", "/deliveries"],
      ["POST", "/deliveries/dlv_01j0000000000000000000000a/redeliver"],
    ] as const) {
      const ask = (id: string) =>
        service.ann.call(method, `${webhooks}/${id}${path}`, undefined, { "X-Request-Id": "same" });
      const [foreign, absent] = [await ask(bobs.id), await ask(missing)];
      expect([foreign.status, foreign.text]).toEqual([404, absent.text]);
      if (method !== "GET")
        expect((await service.reader.call(method, `${webhooks}/${anns.id}${path}`)).status).toBe(403);
    }
    expect((await service.reader.post(webhooks, { url, types: ["*"] })).status).toBe(403);
    expect((await service.admin.call("DELETE", `${webhooks}/${bobs.id}`)).status).toBe(204);
    expect((await service.bob.get(`${webhooks}/${bobs.id}`)).status).toBe(404);
    await cleared();
  });
});

describe("a reader", () => {
  const secretPath = "https://public.example/hooks/canary-path?token=canary";

  it("a reader sees only the origins of the URLs of webhooks, deliveries and jobs", async () => {
    const { id } = await made(service.ann, { url: secretPath });
    const job = { runs: [image()], webhook_url: secretPath };
    const { body } = await service.ann.post("/v1/jobs", job);
    await service.ended(body.id);
    const before = service.answers.length;
    const paths = ["", `/${id}`, `/${id}/deliveries`].map((path) => `${webhooks}${path}`);
    const jobs = ["", `/${body.id}`, `/${body.id}/deliveries`, `/${body.id}/events`].map(
      (path) => `/v1/jobs${path}`,
    );
    const answers = [];
    for (const path of [...paths, ...jobs])
      answers.push(await service.reader.get(path, { Accept: "application/json" }));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(service.answers.slice(before).filter((text) => text.includes("canary-path"))).toEqual([]);
    expect(answers[1]?.body.url).toBe("https://public.example");
    expect(answers[2]?.body.data[0]).toMatchObject({ url: "https://public.example" });
    expect(answers[4]?.body.webhook_url).toBe("https://public.example");
    expect((await service.ann.get(`/v1/jobs/${body.id}`)).body.webhook_url).toBe(secretPath);
    expect((await service.admin.get(`${webhooks}/${id}`)).body.url).toBe(secretPath);
    await cleared();
  });
});

describe("a job's own webhook_url", () => {
  const submit = (client: Service["ann"], webhook_url: unknown) =>
    client.post("/v1/jobs", { runs: [image()], webhook_url });

  it("the job shows its own webhook_url", async () => {
    const answer = await submit(service.ann, url);
    expect(answer).toMatchObject({ status: 202, body: { webhook_url: url } });
    expect((await submit(service.ann, null)).body.webhook_url).toBeNull();
  });

  it("a job's webhook_url to a private address is refused, but a temporary DNS failure is not", async () => {
    for (const wrong of [
      "https://private.example/",
      "http://public.example/",
      `${url}\u0000`,
      "nonsense",
      7,
    ]) {
      const answer = await submit(service.ann, wrong);
      expect(answer.status).toBe(422);
      expect(answer.body.errors).toMatchObject([{ pointer: "/webhook_url" }]);
    }
    expect((await submit(service.ann, "https://nobody.example/")).status).toBe(202);
  });

  it("a job's webhook_url is refused without a secret to sign with", async () => {
    await using bare = await startService();
    const answer = await submit(bare.ann, url);
    expect(answer.status).toBe(422);
    expect(answer.body.errors).toEqual([
      { pointer: "/webhook_url", detail: expect.stringContaining("WEBHOOK_SECRET") },
    ]);
  });

  it("a webhook_url on a run is refused with a pointer to the job's field", async () => {
    const answer = await service.ann.post("/v1/jobs", { runs: [image("", { webhook_url: url })] });
    expect(answer.body.errors).toMatchObject([
      { pointer: "/runs/0/webhook_url", detail: expect.stringContaining("beside runs") },
    ]);
  });
});

it("neither the service's secret nor a key is in any answer or log line", () => {
  const all = [...service.answers, ...service.logLines].join("\n");
  expect(all).not.toContain(jobSecret.slice(6));
  for (const key of Object.values(apiKeys)) expect(all).not.toContain(key);
});
