// Load on a server. Closed loop: each connection sends its next request after the answer. Connecting loop: the same, with
// another connection for each request. Open loop: requests arrive by a Poisson process, and their latency counts from the
// arrival, even if sending was delayed.
import { quantile } from "../measure.ts";
import { type Connection, openConnection, openUsedConnection } from "./connection.ts";

export interface Load {
  port: number;
  seconds: number;
  /** The next request, or null when there are no more. */
  next: () => Buffer | null;
  /** Called before the first request, when the kept connections are open. */
  onStart?: () => void;
  /** Times of the request and its answer (performance.now). */
  onAnswer?: (sentAt: number, at: number) => void;
}

export type Measured = Record<"perSecond" | "answers" | "p50" | "p99" | "max", number>;

type ClosedLoad = Load & { connections: number };

export async function closedLoop(load: ClosedLoad): Promise<Measured> {
  const { promise: failure, reject } = Promise.withResolvers<never>();
  const latencies = createLatencies();
  let startedAt = 0;
  let lastAt = 0;

  async function open(): Promise<{ connection: Connection; drive: () => Promise<void> }> {
    const done = Promise.withResolvers<void>();
    let sentAt = 0;
    const connection = await openUsedConnection(load.port, answered, reject);
    const sendNext = () => {
      const isOver = performance.now() - startedAt >= load.seconds * 1000;
      const request = isOver ? null : load.next();
      sentAt = performance.now();
      if (request === null) done.resolve();
      else connection.send(request);
      return done.promise;
    };
    function answered(status: number, at: number): void {
      if (!isGood(status)) reject(new Error(`answered ${status}`));
      latencies.add(at - sentAt);
      lastAt = at;
      load.onAnswer?.(sentAt, at);
      sendNext();
    }
    return { connection, drive: sendNext };
  }

  const opened = await Promise.all(Array.from({ length: load.connections }, open));
  load.onStart?.();
  startedAt = performance.now();
  lastAt = startedAt;
  try {
    await Promise.race([failure, Promise.all(opened.map(({ drive }) => drive()))]);
  } finally {
    for (const { connection } of opened) connection.close();
  }
  return latencies.measured((lastAt - startedAt) / 1000);
}

/** As webhooks come whose sender keeps no connections. */
export async function connectingLoop(load: ClosedLoad): Promise<Measured> {
  const { port, seconds, connections } = load;
  const latencies = createLatencies();
  load.onStart?.();
  const startedAt = performance.now();
  let lastAt = startedAt;

  async function call(): Promise<void> {
    while (lastAt - startedAt < seconds * 1000) {
      const request = load.next();
      if (request === null) return;
      const sentAt = performance.now();
      const { promise: answer, resolve, reject } = Promise.withResolvers<number>();
      const connection = await openConnection(port, resolve, reject);
      connection.send(request);
      const status = await answer;
      connection.close();
      if (!isGood(status)) throw new Error(`answered ${status}`);
      lastAt = performance.now();
      latencies.add(lastAt - sentAt);
      load.onAnswer?.(sentAt, lastAt);
    }
  }

  await Promise.all(Array.from({ length: connections }, call));
  return latencies.measured((lastAt - startedAt) / 1000);
}

export async function openLoop(load: Load & { rate: number }): Promise<Measured> {
  const { promise: finished, resolve, reject } = Promise.withResolvers<void>();
  const latencies = createLatencies();
  const idle: ((request: Buffer, dueAt: number) => void)[] = [];
  const waiting: [request: Buffer, dueAt: number][] = [];
  const connections: Connection[] = [];
  let underWay = 0;
  let arrivalsEnded = false;

  for (let index = 0; index < CONNECTIONS; index++) {
    let dueAt = 0;
    const send = (request: Buffer, due: number) => {
      dueAt = due;
      connection.send(request);
    };
    const answered = (status: number, at: number) => {
      if (!isGood(status)) reject(new Error(`answered ${status}`));
      latencies.add(at - dueAt);
      underWay--;
      const first = waiting.shift();
      if (first === undefined) idle.push(send);
      else send(...first);
      if (arrivalsEnded && underWay === 0) resolve();
    };
    const connection = await openUsedConnection(load.port, answered, reject);
    connections.push(connection);
    idle.push(send);
  }

  const startedAt = performance.now();
  const endsAt = startedAt + load.seconds * 1000;
  let nextAt = startedAt;
  const arrive = () => {
    const now = performance.now();
    for (; nextAt <= now && !arrivalsEnded; nextAt += gap(load.rate)) {
      const request = nextAt < endsAt ? load.next() : null;
      if (request === null) {
        arrivalsEnded = true;
        break;
      }
      underWay++;
      const send = idle.pop();
      if (send === undefined) waiting.push([request, nextAt]);
      else send(request, nextAt);
    }
    if (!arrivalsEnded) setImmediate(arrive);
    else if (underWay === 0) resolve();
  };
  arrive();
  const tooLong = setTimeout(
    () => reject(new Error("the backlog did not end")),
    load.seconds * 1000 + 30_000,
  );
  try {
    await finished;
  } finally {
    clearTimeout(tooLong);
    for (const connection of connections) connection.close();
  }
  return latencies.measured((performance.now() - startedAt) / 1000);
}

const CONNECTIONS = 256;

function isGood(status: number): boolean {
  return status >= 200 && status <= 299;
}

/** Milliseconds to the next arrival of a Poisson process. */
function gap(rate: number): number {
  return (-Math.log(1 - Math.random()) * 1000) / rate;
}

function createLatencies() {
  const all: number[] = [];
  return {
    add: (ms: number) => void all.push(ms),
    measured(seconds: number): Measured {
      const sorted = Float64Array.from(all).sort();
      const [p50, p99, max] = [0.5, 0.99, 1].map((share) => quantile(sorted, share)) as [
        number,
        number,
        number,
      ];
      return { perSecond: all.length / seconds, answers: all.length, p50, p99, max };
    },
  };
}
