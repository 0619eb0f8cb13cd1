// An HTTP/1.1 connection with one request at a time, on bare sockets: Node's own client costs more than the
// measured servers.
import { connect, type Socket } from "node:net";

export interface Connection {
  send(request: Buffer): void;
  close(): void;
}

type OnAnswer = (status: number, at: number, answer: Buffer) => void;

export async function openConnection(
  port: number,
  onAnswer: OnAnswer,
  onFailure: (error: Error) => void,
): Promise<Connection> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  listen(socket, onAnswer, onFailure);
  return {
    send: (request) => void socket.write(request),
    close: () => {
      socket.removeAllListeners("close");
      socket.destroy();
    },
  };
}

/** Resolves once the server has answered: Node accepts one connection a tick, so that under load the last take seconds. */
export async function openUsedConnection(
  port: number,
  onAnswer: OnAnswer,
  onFailure: (error: Error) => void,
): Promise<Connection> {
  const { promise: firstAnswer, resolve, reject } = Promise.withResolvers<void>();
  let isUsed = false;
  const connection = await openConnection(
    port,
    (...answer) => (isUsed ? onAnswer(...answer) : resolve()),
    (error) => (isUsed ? onFailure(error) : reject(error)),
  );
  connection.send(requestBytes("GET", "/livez"));
  await firstAnswer;
  isUsed = true;
  return connection;
}

function listen(socket: Socket, onAnswer: OnAnswer, onFailure: (error: Error) => void): void {
  let received: Buffer | null = null;
  socket.on("data", (chunk: Buffer) => {
    const bytes = received === null ? chunk : Buffer.concat([received, chunk]);
    const status = statusIfWhole(bytes);
    received = status === null ? bytes : null;
    if (status !== null) onAnswer(status, performance.now(), bytes);
  });
  socket.on("error", onFailure);
  socket.on("close", () => onFailure(new Error("the server closed the connection")));
}

function statusIfWhole(bytes: Buffer): number | null {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return null;
  const head = bytes.toString("latin1", 0, end).toLowerCase();
  const status = Number(head.slice(9, 12));
  if (status === 204) return status;
  const [, length] = /\r\ncontent-length: (\d+)/.exec(head) ?? [];
  const isWhole =
    length === undefined
      ? bytes.subarray(-7).toString("latin1").endsWith("\r\n0\r\n\r\n")
      : bytes.length >= end + 4 + Number(length);
  return isWhole ? status : null;
}

export function requestBytes(
  method: string,
  path: string,
  { headers = {}, body = "" }: { headers?: Record<string, string>; body?: string } = {},
): Buffer {
  const given = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const length = method === "GET" ? "" : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
  return Buffer.from(
    `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${given.join("")}${length}\r\n${body}`,
  );
}
