// A subscriber: a real HTTP server on loopback that keeps what it gets, and what it takes to verify a delivery
// without the library that signed it.
import { createHmac } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import { freePort } from "./service.ts";

export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}
export type Reply = (response: ServerResponse, received: Received) => void;
export type Receiver = Awaited<ReturnType<typeof startReceiver>>;

export const status =
  (code: number, headers: Record<string, string> = {}): Reply =>
  (response) =>
    response.writeHead(code, headers).end("an answer that nobody is to see");
/** Takes the request and says nothing. */
export const silence: Reply = () => {};

export async function startReceiver(reply: Reply = status(204), port?: number) {
  const received: Received[] = [];
  const state = { reply };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const one = { path: request.url ?? "", headers: request.headers, body: Buffer.concat(chunks).toString() };
    received.push(one);
    state.reply(response, one);
  });
  const listening = port ?? (await freePort());
  await new Promise<void>((resolve) => server.listen(listening, "127.0.0.1", resolve));
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return {
    received,
    port: listening,
    url: `http://127.0.0.1:${listening}/hook`,
    /** The types of the events it heard of, in order of arrival. */
    types: () => received.map(({ body }) => JSON.parse(body).type as string),
    answerWith: (next: Reply) => {
      state.reply = next;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** As the specification has it: an HMAC over id, time and body, in base64, one of those that were sent. */
export function isSignedWith(secret: string, { headers, body }: Received): boolean {
  const key = Buffer.from(secret.replace("whsec_", ""), "base64");
  const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  const expected = `v1,${createHmac("sha256", key).update(signed).digest("base64")}`;
  return String(headers["webhook-signature"]).split(" ").includes(expected);
}
