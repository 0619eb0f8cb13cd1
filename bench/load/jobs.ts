// Jobs over HTTP: each connection submits a job, waits for its end if requested, and submits the next.
import { type Connection, openConnection } from "./connection.ts";

export interface JobLoad {
  port: number;
  connections: number;
  seconds: number;
  /** The next submission of one job. */
  submission: () => Buffer;
  /** The request that waits for the job's end. Null does not wait. */
  whenEnded: ((job: string) => Buffer) | null;
}

/** Each connection finishes at least one job. */
export async function jobLoop(load: JobLoad): Promise<{ jobs: number; perSecond: number }> {
  const { promise: failure, reject } = Promise.withResolvers<never>();
  const connections: Connection[] = [];
  const startedAt = performance.now();
  let jobs = 0;

  async function drive(): Promise<void> {
    let take: (answer: string) => void = () => {};
    const onAnswer = (status: number, _at: number, answer: Buffer) => {
      if (status < 200 || status > 299) reject(new Error(`answered ${status}`));
      take(answer.toString("latin1"));
    };
    const connection = await openConnection(load.port, onAnswer, reject);
    connections.push(connection);
    const ask = (request: Buffer) =>
      new Promise<string>((resolve) => {
        take = resolve;
        connection.send(request);
      });
    do {
      let answer = await ask(load.submission());
      if (load.whenEnded !== null) {
        const request = load.whenEnded(field(answer, "id"));
        do answer = await ask(request);
        while (["queued", "active"].includes(field(answer, "status")));
        if (field(answer, "status") !== "succeeded") reject(new Error("a job did not succeed"));
      }
      jobs++;
    } while (performance.now() - startedAt < load.seconds * 1000);
  }

  try {
    await Promise.race([failure, Promise.all(Array.from({ length: load.connections }, drive))]);
  } finally {
    for (const connection of connections) connection.close();
  }
  return { jobs, perSecond: (jobs * 1000) / (performance.now() - startedAt) };
}

/** The first field of that name, which is the job's own. */
function field(answer: string, name: string): string {
  return new RegExp(`"${name}":"([^"]*)"`).exec(answer)?.[1] ?? "";
}
