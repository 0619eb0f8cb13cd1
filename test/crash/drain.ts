// SIGTERM under load: the process leaves with 0 within its grace, and whoever was being served gets an answer.
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { json } from "node:stream/consumers";
import { setTimeout as wait } from "node:timers/promises";
import type { JobView } from "./api.ts";
import { drawJob } from "./jobs.ts";
import { keys, shutdownGraceMs } from "./settings.ts";
import type { Scene } from "./trial.ts";

export async function drainRepeatedly(times: number, scene: Scene): Promise<string> {
  const { service, load, random, complain } = scene;
  for (let nth = 1; nth <= times; nth++) {
    await wait(random.between(500, 2_500));
    const finishers = await Promise.all([1, 2, 3].map((one) => submitHalf(scene, `half ${nth}.${one}`)));
    load.burst(random.whole(2, 6));
    const startedAt = performance.now();
    const exit = service.terminate(shutdownGraceMs + 2_000);
    await wait(200);
    const statuses = await Promise.all(finishers.map((finish) => finish()));
    const code = await exit;
    const tookMs = Math.round(performance.now() - startedAt);
    if (statuses.some((status) => status !== 202))
      complain(`submissions under way at SIGTERM were answered ${statuses.join(", ")}`);
    if (code !== 0 || tookMs > shutdownGraceMs)
      complain(`SIGTERM: exit code ${code ?? "none, it had to be killed"} after ${tookMs} ms`);
    if (!(await service.start())) throw new Error("the service does not start again after SIGTERM");
  }
  return `${times} times SIGTERM`;
}

/** Sends the first half of a submission; the answer sends the rest and resolves with the status. */
async function submitHalf({ service, load, random }: Scene, idempotencyKey: string) {
  const body = drawJob(random, idempotencyKey);
  const text = JSON.stringify(body);
  const headers = {
    Authorization: `Bearer ${keys.alice}`,
    "Content-Length": Buffer.byteLength(text),
    "Idempotency-Key": idempotencyKey,
  };
  const sent = request(`${service.url}/v1/jobs`, { method: "POST", headers, agent: false });
  // Resolves also when the connection breaks: the status is then undefined, and told.
  const answered = new Promise<IncomingMessage | null>((resolve) => {
    sent.once("response", resolve);
    sent.once("error", () => resolve(null));
  });
  sent.flushHeaders();
  await Promise.race([once(sent, "socket").then(([socket]) => once(socket, "connect")), answered]);
  sent.write(text.slice(0, text.length / 2));
  // The service has to have seen it before the signal.
  await wait(50);

  return async () => {
    sent.end(text.slice(text.length / 2));
    const answer = await answered;
    if (answer === null) return "a broken connection";
    const { id: jobId } = (await json(answer)) as JobView;
    if (answer.statusCode === 202)
      load.remember({ keyName: "alice", idempotencyKey, body, jobId, isCancelled: false });
    return answer.statusCode;
  };
}
