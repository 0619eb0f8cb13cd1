// The jobs that are submitted: small, and between them every way in which a run can go.
import type { Random } from "./random.ts";

export interface JobBody {
  name: string;
  runs: object[];
  [field: string]: unknown;
}

export function drawJob(random: Random, name: string): JobBody {
  const runs = (most: number, directive = () => delay(random, 50, 1_500)) =>
    Array.from({ length: random.whole(1, most) }, () => image(directive()));
  const onLost = random.pick([
    [1, "fail"],
    [1, "retry"],
  ]);
  const draw = random.pick<() => object>([
    [40, () => ({ runs: runs(3) })],
    [10, () => ({ runs: [...runs(2), ...runs(2)], max_parallel: 1 })],
    [
      14,
      () => ({
        runs: runs(2, () => `${delay(random, 50, 600)} status=system_failure`),
        retry: { max_attempts: 2, on: ["system_failure"] },
      }),
    ],
    [
      10,
      () => ({
        runs: [image(`${delay(random, 50, 300)} exit=3`), ...runs(3)],
        on_run_failure: "cancel_rest",
      }),
    ],
    [8, () => ({ runs: [image("delay=20s", { timeout: 40 }), ...runs(2)], deadline_s: random.whole(1, 3) })],
    [9, () => ({ runs: [compose(delay(random, 50, 900))], priority: 1 })],
    [9, () => ({ runs: [gpuSelection(delay(random, 50, 900))] })],
  ]);
  return { name, on_lost: onLost, runs: [], ...draw() };
}

function delay(random: Random, min: number, max: number): string {
  return `delay=${random.whole(min, max)}ms`;
}

/** Seconds: where callbacks have proved reliable, a run whose callback is lost is looked at only after that. */
const timeout = 4;

function image(directive: string, fields: object = { timeout }) {
  const command = ["python", "-c", "print(1)"];
  const env = { EMULATOR: directive };
  return { kind: "image", docker_image_ref: "python:3.13", docker_run_cmd: command, env, ...fields };
}

function compose(directive: string) {
  return { kind: "compose", timeout, compose_file_code: `services: {}\n# emulator: ${directive}\n` };
}

function gpuSelection(directive: string) {
  return { kind: "gpu_selection", timeout, code: `# emulator: ${directive}\nprint(1)\n` };
}
