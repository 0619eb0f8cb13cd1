// Secrets appear nowhere: in no log line, answer, event, metric or problem, whatever goes wrong. Each is a canary.
import { brotliCompressSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callbackToken } from "../../src/domain/callback-token.ts";
import {
  apiKeys,
  callbackSecret,
  image,
  lyceumKey,
  type Service,
  startService,
  until,
} from "../support/service.ts";

const password = "canary-password-of-the-login";
const formerSecret = "canary-former-callback-secret-0123456789";
const own = {
  docker_username: "canary-docker-user",
  docker_password: "canary-docker-password",
  aws_access_key_id: "canary-aws-access-key",
  aws_secret_access_key: "canary-aws-secret",
  aws_session_token: "canary-aws-session",
};
const env = { TOKEN: "canary-value-of-env", QUOTED: 'canary-"quoted"-value' };
const fixed = [
  ...Object.values(apiKeys),
  callbackSecret,
  formerSecret,
  lyceumKey,
  password,
  ...Object.values(own),
  ...Object.values(env),
  "emulator-s3-secret-key",
];

let service: Service;
beforeAll(async () => {
  const settings = {
    CALLBACK_SECRETS: `${callbackSecret},${formerSecret}`,
    IN_DOUBT_AFTER: "1s",
    LOG_LEVEL: "debug",
  };
  service = await startService({ settings });
});
afterAll(() => service.close());

/** Everything that anyone but Lyceum can see. */
function seen(): string {
  const tables = ["events", "jobs", "runs", "executions", "counters"].flatMap((table) =>
    service.rows(`select * from ${table}`).map((row) => JSON.stringify(row)),
  );
  return [...service.logLines, ...service.answers, ...tables].join("\n");
}

/** As it is, and as it would look inside JSON, JSON in JSON, a URL or base64. */
function spellings(secret: string): string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  const base64 = Buffer.from(secret)
    .toString("base64")
    .replace(/.?.?=*$/, "");
  return [secret, json, JSON.stringify(json).slice(1, -1), encodeURIComponent(secret), base64];
}

function expectNoCanary(): void {
  const everything = seen();
  const tokens = service
    .rows("select id from executions")
    .flatMap(({ id }) => [callbackToken(callbackSecret, id), callbackToken(formerSecret, id)]);
  for (const secret of [...fixed, ...tokens].flatMap(spellings)) {
    const at = everything.indexOf(secret);
    expect(at === -1 ? "nowhere" : everything.slice(Math.max(0, at - 200), at + 40)).toBe("nowhere");
  }
}

/** Asks for all that can be read of the job and its runs. */
async function lookAtEverything(jobId: string): Promise<void> {
  for (const who of [service.ann, service.reader, service.admin, service.bob]) {
    await Promise.all(
      ["/v1/jobs", `/v1/jobs/${jobId}`, "/v1/status", "/v1/settings", "/v1/callbacks", "/metrics"].map(
        (path) => who.get(path),
      ),
    );
    for (const run of (await who.get(`/v1/jobs/${jobId}/runs`)).body.data ?? []) {
      const parts = ["", "/spec", "/output", "/timing", "/metrics", "/logs"].map(
        (part) => `/v1/runs/${run.id}${part}`,
      );
      const ofExecutions = run.executions.flatMap(({ id }: { id: string }) => [
        `/v1/executions/${id}`,
        `/v1/executions/${id}/callbacks`,
      ]);
      await Promise.all([...parts, ...ofExecutions].map((path) => who.get(path)));
    }
  }
}

async function runAndLook(...runs: object[]): Promise<void> {
  const { id } = await service.submit({ runs, retry: { max_attempts: 2, on: ["lost"] } });
  await service.ended(id);
  await lookAtEverything(id);
}

const container = (switches = "", more: object = {}) => image(switches, { ...own, env, ...more });
const compose = (text: string) => ({ kind: "compose", compose_file_code: `services: {}\n${text}`, ...own });

describe("no secret is shown", () => {
  it("no secret is shown after runs of every kind, succeeded and failed", async () => {
    await runAndLook(
      { kind: "python", code: "print(1)", env },
      { kind: "python", code: "import sys; sys.exit(1)", env },
      { kind: "gpu_selection", code: "print(1)", env },
      container("exit=1"),
      compose(""),
    );
    expectNoCanary();
  });

  it("no secret is shown after callbacks that quote Lyceum's whole record", async () => {
    await runAndLook(container("body=record"), {
      kind: "python",
      code: "# emulator: body=record\nprint(1)",
      env,
    });
    expectNoCanary();
  });

  it("no secret is shown after callbacks that quote what was sent in other wrappings", async () => {
    const extra = { registries: [{ pass: env.QUOTED }] };
    const { id: jobId } = await service.submit({ runs: [container("delay=50s", { extra })] });
    const { executions } = await service.soleRun(jobId, (run) => run.lyceum_execution_id !== null);
    const id = executions[0]?.id ?? "";
    const url = `${service.url()}/callbacks/lyceum/${id}/${callbackToken(callbackSecret, id)}`;
    const quoted = { ...own, env, seen: url, dockerPassword: own.docker_password, request: { extra } };
    const json = JSON.stringify(quoted);
    const form = new URLSearchParams({ ...own, ...env, url, json }).toString();
    const base64 = Buffer.from(json).toString("base64");
    const bodies = [
      json,
      JSON.stringify({ a: JSON.stringify({ json }) }),
      form,
      base64,
      JSON.stringify({ base64 }),
    ];
    for (const body of [
      ...bodies,
      json.slice(0, -9),
      `TOKEN=${env.TOKEN}\nURL=${url}`,
      `<r><a>${env.TOKEN}</a></r>`,
    ])
      for (const form of [body, gzipSync(body), brotliCompressSync(body), Buffer.from(body, "utf16le")])
        expect((await fetch(url, { method: "POST", body: new Uint8Array(Buffer.from(form)) })).status).toBe(
          204,
        );
    await lookAtEverything(jobId);
    expect((await service.reader.get(`/v1/executions/${id}/callbacks?limit=100`)).body.data).toHaveLength(32);
    expectNoCanary();
    await service.ann.post(`/v1/jobs/${jobId}/cancel`);
  });

  it("no secret is shown after starts that Lyceum refuses while it quotes what was sent", async () => {
    const quoting = { EMULATOR: env.TOKEN };
    await runAndLook(
      container("", { env: quoting }),
      container(`${own.docker_password} bogus=1`),
      container("", { env: undefined, docker_run_env: `EMULATOR=${own.aws_secret_access_key}` }),
      container("", { extra: { region: { secret: own.aws_session_token } } }),
      compose(`# emulator: ${own.docker_password}`),
    );
    expectNoCanary();
  });

  it("no secret is shown after starts whose answers are lost, stall or are no JSON", async () => {
    service.emulator.setChaos({ answer: { lost: { next: 1 }, "500": { next: 1 }, unreadable: { next: 1 } } });
    await runAndLook(
      container(),
      container(),
      container("answer=stall stall=300"),
      container("answer=refused"),
    );
    expectNoCanary();
  });

  it("no secret is shown after submissions that are refused with secrets in the wrong places", async () => {
    const bodies = [
      `{"runs": [{"docker_password": "${own.docker_password}", }]}`,
      { runs: [container("", { docker_password: { value: own.docker_password } })] },
      { runs: [container("", { docker_password: own.docker_password, timeout: own.docker_password })] },
      { runs: [{ kind: own.aws_secret_access_key }] },
      { runs: [container("", { env: { TOKEN: `${env.TOKEN}\n` } })] },
      { runs: [container("", { docker_registry_credential_type: own.docker_password })] },
      { runs: [container("", { execution_type: `${own.docker_password}!` })], on_lost: own.docker_password },
    ];
    for (const body of bodies)
      expect((await service.ann.post("/v1/jobs", body)).status).toBeGreaterThanOrEqual(400);
    const { runs } = { runs: [container()] };
    await service.ann.post("/v1/jobs", { runs }, { "Idempotency-Key": "one" });
    expect(
      (await service.ann.post("/v1/jobs", { runs, priority: 1 }, { "Idempotency-Key": "one" })).status,
    ).toBe(422);
    expectNoCanary();
  });

  it("no secret is shown after requests that carry secrets where they do not belong", async () => {
    const key = apiKeys.admin;
    for (const path of [`/v1/jobs/${key}`, `/${key}`, `/v1/jobs?status=${key}`, `/v1/jobs?cursor=${key}`])
      for (const client of [service.ann, service.nobody]) await client.get(path);
    await service.nobody.get("/v1/jobs", { Authorization: `Basic ${key}`, Cookie: key, "User-Agent": key });
    expectNoCanary();
  });

  it("no secret is shown after callbacks with good and with forged tokens, and at wrong addresses", async () => {
    const run = await service.run(image());
    const id = run.executions[0]?.id ?? "";
    const token = callbackToken(callbackSecret, id);
    for (const path of [`${id}/${token}`, `${id}/${token}x`, `${id}/${token}/more`, `${id}/`, `x/${token}`])
      for (const method of ["POST", "PUT"])
        await service.nobody.call(method, `/callbacks/lyceum/${path}`, token);
    await lookAtEverything(run.job_id);
    expectNoCanary();
  });

  it("no secret is shown after an outage and a restart", async () => {
    service.network.lyceumIsUp = false;
    const { id } = await service.submit({ runs: [container()] });
    await until("a start that met nobody", () =>
      service.logLines.some((line) => line.includes('"unreachable"')),
    );
    await service.restart();
    service.network.lyceumIsUp = true;
    await service.ended(id);
    await lookAtEverything(id);
    expectNoCanary();
  });
});

it("a login shows neither its password nor its tokens, whether accepted or refused", async () => {
  const email = "canary@example.test";
  const settings = { LYCEUM_API_KEY: undefined, LYCEUM_EMAIL: email, LYCEUM_PASSWORD: password };
  for (const accepted of [password, "another"]) {
    await using other = await startService({
      settings,
      emulator: { accounts: [{ email, password: accepted }] },
    });
    const { id } = await other.submit({ runs: [image()] });
    if (accepted === password) await other.ended(id);
    else await until("the refusal", () => other.logLines.some((line) => line.includes('"unauthorized"')));
    await Promise.all(["/v1/status", "/metrics", `/v1/jobs/${id}/runs`].map((path) => other.ann.get(path)));
    const all = [
      ...other.logLines,
      ...other.answers,
      ...other.rows("select * from events").map((row) => row.data),
    ];
    for (const canary of [password, email, "eyJ"])
      expect(all.filter((text) => text.includes(canary))).toEqual([]);
  }
});

it("the emulator received the secrets, so there was something to hide", () => {
  const bodies = JSON.stringify(service.emulator.executions().map((execution) => execution.body));
  for (const secret of Object.values(own)) expect(bodies).toContain(secret);
  expect(bodies).toContain(env.TOKEN);
});
