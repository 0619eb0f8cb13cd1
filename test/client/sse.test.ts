// The reader of Server-Sent Events: whatever the pieces, the messages are the same.
import fc from "fast-check";
import { expect, test } from "vitest";
import { createSseReader } from "../../src/client/sse.ts";

function readAll(pieces: string[]) {
  const sse = createSseReader();
  return { messages: pieces.flatMap((piece) => sse.push(piece)), sse };
}

test("messages have an id, a type and data of one or more lines", () => {
  const { messages } = readAll(["id: 1\nevent: job.created\ndata: {\ndata:  }\n\ndata:plain\n\n"]);
  expect(messages).toEqual([
    { id: "1", type: "job.created", data: "{\n }" },
    { id: "1", type: "message", data: "plain" },
  ]);
});

test("comments and unknown fields say nothing, a block without data still moves the place", () => {
  const { messages, sse } = readAll([": still here\n\nretry: 1500\nid: 7\nmood: good\n\n"]);
  expect(messages).toEqual([]);
  expect(sse.lastId).toBe("7");
  expect(sse.retryMs).toBe(1_500);
});

test("a message that broke off is not one", () => {
  const { messages, sse } = readAll(["id: 1\ndata: a\n\nid: 2\ndata: b\n"]);
  expect(messages.map(({ data }) => data)).toEqual(["a"]);
  expect(sse.lastId).toBe("1");
});

test("wherever the text is cut, and whatever ends its lines, the messages are the same", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "b", ":", " ", "é", "😀") });
  const sent = fc.array(fc.record({ id: fc.nat(), data: word }), { maxLength: 5 });
  const cuts = fc.array(fc.nat(), { maxLength: 10 });
  fc.assert(
    fc.property(sent, cuts, fc.constantFrom("\n", "\r\n", "\r"), (messages, at, end) => {
      const text = messages.map(({ id, data }) => `id: ${id}${end}data: ${data}${end}${end}`).join("");
      const places = [0, ...at.map((cut) => cut % (text.length + 1)), text.length].sort((a, b) => a - b);
      const pieces = places.slice(1).map((place, index) => text.slice(places[index], place));
      // A last carriage return might be half of a line's end: a comment follows.
      const read = readAll([...pieces, ":\n"]).messages;
      expect(read.map(({ id, data }) => ({ id: Number(id), data }))).toEqual(messages);
    }),
  );
});
