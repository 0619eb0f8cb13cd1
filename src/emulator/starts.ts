// The four start calls, and all ways to lose their answers.
import type { Context, Hono } from "hono";
import { send } from "./documents.ts";
import type { Execution, Kind } from "./execution.ts";
import { pause } from "./pause.ts";
import { shown } from "./records.ts";
import { readStart } from "./requests.ts";
import { cut, type Env, proxyPage, readJson, refuse, type World } from "./world.ts";

const paths: [string, Kind][] = [
  ["/execution/streaming/start", "python"],
  ["/execution/image/start", "image"],
  ["/execution/compose/start", "compose"],
  ["/execution/gpu_selection/start", "gpu_selection"],
];

export function addStarts(app: Hono<Env>, world: World): void {
  for (const [path, kind] of paths) app.post(path, (c) => start(c, world, kind));
}

async function start(c: Context<Env>, world: World, kind: Kind): Promise<Response> {
  const { chaos, engine, callbacks } = world;
  const body = await readJson(c);
  if (body === undefined) {
    return refuse(c, 422, [{ loc: ["body", 0], msg: "JSON decode error", type: "json_invalid" }]);
  }
  const read = readStart(kind, body, chaos.current());
  if (!read.ok) return refuse(c, 422, read.detail);

  const { answer, stall, callback } = { ...chaos.current(), ...read.start.changes };
  if (chaos.happens("answer.refused", answer.refused)) return refuse(c, 500, "Internal Server Error");

  const execution = engine.accept(read.start, Number(c.req.header("content-length") ?? 0));
  const word = shown(execution, chaos.of(execution));
  if (chaos.happens("callback.eager", callback.eager) && kind !== "gpu_selection") {
    execution.calledEagerly = true;
    await callbacks.send(execution, 1);
  }
  if (chaos.happens("answer.stall", answer.stall)) await pause(world.timers, stall);
  if (chaos.happens("answer.lost", answer.lost)) return cut(c);
  if (chaos.happens("answer.500", answer["500"])) return refuse(c, 500, "Internal Server Error");
  if (chaos.happens("answer.502", answer["502"])) return proxyPage(c, 502);
  if (chaos.happens("answer.unreadable", answer.unreadable)) return proxyPage(c, 200);
  return send(c, world, "start", accepted(c, execution, word), execution);
}

function accepted(c: Context<Env>, execution: Execution, status: string): Record<string, unknown> {
  const execution_id = execution.id;
  if (execution.start.kind === "gpu_selection") {
    return { execution_id, status, message: "emulator: queued for a pretended comparison" };
  }
  // Nothing is served at this URL: Lyceum's documents contradict each other on the protocol of live output.
  const streaming_url = `http://${c.req.header("host")}/api/v1/stream/${execution_id}`;
  const answer = { execution_id, status, streaming_url };
  return execution.start.kind === "python" ? { ...answer, pythia_decision: null } : answer;
}
