import { expect, test } from "vitest";
import { createReader, MAX_ON_LOOP, readBody } from "../../src/lyceum/body-parser.ts";
import { readReply } from "../../src/lyceum/read-reply.ts";
import type { AnswerName } from "../../src/lyceum/schema.ts";

const MIB = 1024 * 1024;
const row = { execution_id: "5d0b", status: "completed" };
const bytesOf = (value: unknown) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value));

/** `isAside`: the event loop could go on before the body was read. */
async function read(bytes: Buffer<ArrayBuffer>, name: AnswerName, reader = readBody) {
  let isRead = false;
  const parsing = reader(bytes, name).finally(() => {
    isRead = true;
  });
  for (let step = 0; step < 100; step++) await null;
  const isAside = !isRead;
  return { said: await parsing, isAside };
}

test.each<[string, AnswerName, unknown]>([
  ["record", "record", { ...row, stdout: "é\0🚀\n".repeat(MIB / 4), result: [1.5, "x".repeat(MIB)] }],
  [
    "log",
    "logs",
    { logs: Array.from({ length: 10_500 }, (_, n) => ({ message: `${n} ${"x".repeat(90)}` })) },
  ],
  ["list", "workloads", Array.from({ length: 20_000 }, (_, n) => ({ ...row, execution_id: `${n}` }))],
  ["error", "record", { detail: "x".repeat(MIB) }],
  ["page", "record", `<html>${"x".repeat(MIB)}`],
])("a large %s is read as a small one, and the event loop goes on meanwhile", async (_, name, body) => {
  expect(bytesOf(body).length).toBeGreaterThan(MAX_ON_LOOP);
  const { said, isAside } = await read(bytesOf(body), name);
  expect(said).toEqual(readReply(bytesOf(body), name));
  expect(isAside).toBe(true);
});

test("a small body is read at once", async () => {
  const { said, isAside } = await read(bytesOf(row), "record");
  expect(said).toMatchObject({ answer: { value: { executionId: "5d0b" } } });
  expect(isAside).toBe(false);
});

test("no more entries of a log are read than were asked for", async () => {
  const logs = Array.from({ length: 10_500 }, (_, n) => ({ message: `${n}` }));
  const { said } = await read(bytesOf({ logs, total: 10_500 }), "logs");
  expect(said.answer?.value).toMatchObject({ entries: { length: 10_000 } });
});

test.each<[string, AnswerName, string]>([
  ["8 million brackets", "logs", "[".repeat(8 * MIB) + "]".repeat(8 * MIB)],
  ["empty entries", "logs", `{"logs":[${"{},".repeat(5 * MIB)}{}]}`],
  ["empty rows", "workloads", `[${"[],".repeat(10 * MIB)}[]]`],
  ["empty samples", "metrics", `{"gpuPowerWatt":[${"{},".repeat(5 * MIB)}{}]}`],
  ["empty errors", "record", `{"execution_id":"a","status":"failed","errors":[${"{},".repeat(5 * MIB)}{}]}`],
  ["a deep result", "record", `{"execution_id":"a","status":"failed","result":${"[".repeat(16 * MIB)}`],
])("a body that holds more than it may is refused: %s", async (_, name, text) => {
  const { said, isAside } = await read(bytesOf(text), name);
  expect(said).toMatchObject({ answer: null, isJson: true, isTooLarge: true });
  expect(said.message).toMatch(/^(more than|nested deeper)/);
  expect(isAside).toBe(true);
});

test("a large result stays text, whatever stands in it", async () => {
  const result = `[${"[],".repeat(5 * MIB)}12345678901234567890, 1.0]`;
  const { said } = await read(bytesOf(`{"execution_id":"a","status":"x","result": ${result} }`), "record");
  const { result: kept } = (said.answer ?? { value: {} }).value as { result?: string };
  expect(kept === result).toBe(true);
});

test("a thread that runs out of memory fails only its own body, and the next body has a new thread", async () => {
  const reader = createReader(32);
  const list = `[${`{"execution_id":"${"x".repeat(100)}","status":"x"},`.repeat(220_000)}{}]`;
  expect((await read(bytesOf(list), "workloads", reader)).said).toMatchObject({ isTooLarge: true });
  const { said } = await read(bytesOf({ ...row, stdout: "x".repeat(MIB) }), "record", reader);
  expect(said.answer).not.toBeNull();
});
