// Callbacks may quote all that a run was given, in any wrapping: nothing of it is shown that is secret.
import { brotliCompressSync, deflateSync, gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { callbackToken } from "../../../src/domain/callback-token.ts";
import { secretsOf } from "../../../src/domain/secrets.ts";
import type { ImageSpec } from "../../../src/domain/spec.ts";
import { callbackViewer } from "../../../src/http/views/callback.ts";
import { withEnvironment } from "../../../src/lyceum/python-env.ts";
import type { CallbackRow } from "../../../src/store/callbacks.ts";

const id = "exe_01kawv9x2m4t6r8s0p1q3n5v7w";
const token = callbackToken("secret-of-callbacks", id);
const url = `https://proctor.example.com/callbacks/lyceum/${id}/${token}`;
const login = "canary-docker-password";
const value = 'canary-"quoted"-välue';
const deep = "canary-deep-in-extra";
const spec: ImageSpec = {
  kind: "image",
  docker_image_ref: "busybox",
  docker_run_cmd: [],
  docker_password: login,
  docker_username: "canary-docker-user",
  docker_run_env: "GIVEN=canary given line",
  env: { TOKEN: value, SHORT: "ab" },
  extra: { registries: [{ auth: { pass: deep } }] },
  execution_type: "cpu",
  enable_s3_mount: false,
  timeout: 60,
};
const values = secretsOf(spec);
const secrets = { values, tokens: [token] };

const rowOf = (body: string | Buffer, more: Partial<CallbackRow> = {}): CallbackRow => ({
  id: "cbk_1",
  execution_id: id,
  received_at: 0,
  disposition: "received",
  content_type: null,
  content_encoding: null,
  body: Buffer.from(body as Buffer),
  truncated: 0,
  ...more,
});
const shown = callbackViewer(secrets, false);
const shownToOwner = callbackViewer(secrets, true);

const record = { status: "completed", docker_password: login };
const json = JSON.stringify(record);
const base64 = (text: string | Buffer) => Buffer.from(text).toString("base64");

/** Every text that a curious reader gets out of an answer by hand. */
function readings(text: string): string[] {
  const decoders = [
    (one: string) =>
      one.replace(/\\u([0-9a-f]{4})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
    (one: string) => one.replaceAll(/\\(.)/g, "$1"),
    (one: string) => {
      try {
        return decodeURIComponent(one.replaceAll("+", " "));
      } catch {
        return one;
      }
    },
    (one: string) => Buffer.from(one, "base64").toString("utf8"),
    (one: string) => (one.match(/[\w+/=-]{8,}/g) ?? []).map((run) => Buffer.from(run, "base64")).join("\n"),
    (one: string) => {
      try {
        return gunzipSync(Buffer.from(one, "base64")).toString("utf8");
      } catch {
        return one;
      }
    },
  ];
  let all = [text];
  for (let layer = 0; layer < 3; layer++)
    all = [...new Set(all.flatMap((one) => [one, ...decoders.map((decode) => decode(one))]))];
  return all;
}

const canaries = [login, value, deep, token, "canary-docker-user", "canary given line", "canary"];

const shapes: [string, string | Buffer, Partial<CallbackRow>?][] = [
  ["JSON", json],
  ["JSON in a string", JSON.stringify({ status: "completed", payload: json })],
  ["JSON in a string in a string", JSON.stringify({ status: "completed", a: JSON.stringify({ b: json }) })],
  ["camelCase", JSON.stringify({ status: "completed", dockerPassword: "canary-x" })],
  ["kebab-case", JSON.stringify({ status: "completed", "docker-password": "canary-x" })],
  ["capitals", JSON.stringify({ status: "completed", DOCKER_PASSWORD: "canary-x" })],
  ["a form", "status=completed&docker_password=canary-x"],
  ["a form, percent-encoded", `status=completed&docker%5Fpassword=canary-x&env=${encodeURIComponent(value)}`],
  ["JSON in a form", `status=completed&payload=${encodeURIComponent(json)}`],
  ["nested extra", JSON.stringify({ status: "completed", request: { extra: { any: [{ name: deep }] } } })],
  ["name and value pairs", JSON.stringify([{ name: "docker_password", value: "canary-x" }, "completed"])],
  ["KEY=value lines", JSON.stringify({ status: "completed", docker_run_env: "GIVEN=canary given line" })],
  ["KEY=value lines elsewhere", JSON.stringify({ status: "completed", lines: `A=1\nTOKEN=${value}` })],
  ["gzip", gzipSync(json), { content_encoding: "gzip" }],
  ["deflate", deflateSync(json), { content_encoding: "deflate" }],
  ["brotli", brotliCompressSync(json), { content_encoding: "br" }],
  ["gzip in base64", JSON.stringify({ status: "completed", payload: base64(gzipSync(json)) })],
  ["base64", base64(json)],
  ["base64 in JSON", JSON.stringify({ status: "completed", payload: base64(json) })],
  [
    "base64 of a value at an odd place",
    JSON.stringify({ status: "completed", a: `x${base64(`u:${login}`)}` }),
  ],
  ["UTF-16", Buffer.from(`\uFEFF${json}`, "utf16le")],
  ["JSON that breaks off", `{"status":"completed","docker_password":"canary-do`],
  ["JSON that is cut off", `{"status":"completed","note":"${login.slice(0, -4)}`, { truncated: 1 }],
  ["JSON that breaks off behind a value", `{"status":"completed","note":"${deep}","x":`],
  [
    "code with our prelude",
    JSON.stringify({
      status: "completed",
      source: withEnvironment("print(1)", { TOKEN: value, S: "canary" }),
    }),
  ],
  ["a list of arguments", JSON.stringify({ status: "completed", argv: ["--docker-password", "canary-x"] })],
  ["XML", `<r><status>completed</status><docker_password>canary-x</docker_password></r>`],
  ["the callback's URL", JSON.stringify({ status: "completed", seen: url })],
  ["the callback's URL, escaped", `{"status":"completed","seen":"${url.replaceAll("/", "\\/")}"}`],
  ["the callback's URL, percent-encoded", `status=completed&seen=${encodeURIComponent(url)}`],
  ["the callback's URL in base64", JSON.stringify({ status: "completed", seen: base64(url) })],
  ["the callback's URL in gzip", gzipSync(JSON.stringify({ status: "completed", seen: url }))],
  ["a number", JSON.stringify({ status: "completed", extra: { pin: 1 } })],
];

describe("the masking of a callback", () => {
  it.each(shapes)("no secret is shown, and the rest is, in %s", (_, body, more) => {
    for (const view of [shown(rowOf(body, more)), shownToOwner(rowOf(body, more))]) {
      expect(view).toMatchObject({ body_encoding: "utf8", note: null });
      const all = readings(view.body ?? "");
      for (const canary of canaries) expect(all.filter((text) => text.includes(canary))).toEqual([]);
      expect(all.some((text) => text.includes("completed"))).toBe(true);
    }
  });
});

it("removed encodings are named, and a body without secrets is shown unchanged", () => {
  expect(shown(rowOf(gzipSync(json)))).toMatchObject({ decoded_from: "gzip" });
  expect(shown(rowOf(gzipSync(Buffer.from(json, "utf16le"))))).toMatchObject({
    decoded_from: "gzip, utf-16le",
  });
  for (const body of [
    '{ "id" : 1.0,\n "status": "completed"}',
    "status=a%20b",
    "",
    "plain",
    "6f0c2a1e-6c1b-4d7e",
  ])
    expect(shown(rowOf(body))).toMatchObject({ body, decoded_from: null, note: null });
});

it("the token of another execution's callback URL is hidden, too", () => {
  const other = url.replace(token, callbackToken("another", "exe_2"));
  expect(shown(rowOf(JSON.stringify({ a: other }))).body).toContain("/[token]");
});

describe("a body that cannot be searched is shown only to callers who know the secrets:", () => {
  const noise = Buffer.from(Array.from({ length: 400 }, (_, n) => (n * 7919) % 256));
  it.each([
    ["bytes", Buffer.from([0, 255, 254, 10])],
    ["text with a long piece that cannot be read", JSON.stringify({ image: base64(noise) })],
  ])("only callers who know the secrets see %s", (_, body) => {
    expect(shown(rowOf(body))).toMatchObject({ body: null, body_encoding: null, note: expect.any(String) });
    expect(shownToOwner(rowOf(body)).body).not.toBeNull();
  });

  it("a decompression bomb is shown to nobody", () => {
    const bomb = gzipSync(Buffer.alloc(8 * 1024 * 1024));
    expect(shownToOwner(rowOf(bomb))).toMatchObject({ body: null, note: expect.any(String) });
  });

  it("a binary body is shown without the tokens of callback URLs", () => {
    for (const spelling of [Buffer.from(url), Buffer.from(url, "utf16le"), Buffer.from(base64(url))]) {
      const { body } = shownToOwner(rowOf(Buffer.concat([Buffer.from([0xff, 0xff, 0x80]), spelling])));
      const bytes = Buffer.from(body ?? "", "base64");
      expect(readings(bytes.toString("latin1").replaceAll("\0", "")).join("\n")).not.toContain(token);
    }
  });
});

it("a body that is wrapped deeper than the search is hidden", () => {
  const layers = Array.from({ length: 12 }).reduce<string>((inner) => JSON.stringify([inner]), "harmless");
  const { body } = shown(rowOf(layers));
  expect(body).toContain("[hidden]");
  expect(body).not.toContain("harmless");
});

it("a run with very many long values is masked in good time, or hidden as a whole", () => {
  const many = Array.from({ length: 10_000 }, (_, n) => `${"a".repeat(2_000)}${n}`);
  const view = callbackViewer({ values: many, tokens: [token] }, false)(rowOf("a".repeat(256 * 1024)));
  expect(view.body).toBe("[hidden]");
});
