// Data for the pages: a sweep over GPUs, jobs with every outcome, a running job, a waiting job.
import { type Service, type ServiceOptions, until } from "../support/service.ts";

const receiver = "https://worker.example.com/hook";

/** Nobody answers at the receiver's address: its deliveries fail. */
export const demoOptions: ServiceOptions = {
  settings: {
    SUBMIT_LIMIT: "100/1h",
    // Slow enough that a busy machine does not find ends before their callbacks.
    POLL_INTERVAL_MIN: "2s",
    POLL_INTERVAL_MAX: "10s",
    KEY_BUDGETS: "ann:0.5/1d",
    KEY_QUOTAS: "ann:400/1d",
    WEBHOOK_ALLOW_PRIVATE: "127.0.0.0/8",
    WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 1).toString("base64")}`,
  },
  chaos: { pending: "150ms", starting: "100ms" },
  surroundings: { resolve: async () => [{ address: "127.0.0.1", family: 4 }] },
};

const gpu = "gpu.a100";

/** Prints like a training, with colours and a progress bar. */
const training = `import os, sys
lr, seed = float(os.environ["LR"]), int(os.environ["SEED"])
print("\\033[1mtraining\\033[0m lr=%s seed=%s" % (lr, seed))
for epoch in range(1, 41):
    loss = 2.5 / (1 + epoch * (0.3 + lr)) + 0.01 * ((seed * 7 + epoch) % 5)
    colour = 32 if loss < 0.3 else 33 if loss < 0.8 else 31
    print("epoch %2d  loss \\033[%dm%.4f\\033[0m" % (epoch, colour, loss))
print("done", file=sys.stderr)
`;

export interface Demo {
  sweep: string;
  failed: string;
  live: string;
  waiting: string;
  webhook: string;
  /** The first run of the sweep. */
  sweepRun: string;
  /** A run that failed three times at Lyceum. */
  retriedRun: string;
  /** A run whose own code failed. */
  reportRun: string;
}

export async function seedDemo(service: Service): Promise<Demo> {
  const { ann, submit } = service;
  const created = await ann.post("/v1/webhooks", { url: receiver, types: ["job.*"] });
  const lengths = [900, 1_400, 2_100, 1_200];
  const image = (name: string, command: string, more: object = {}) => ({
    kind: "image",
    name,
    docker_image_ref: "ghcr.io/team/train:7",
    docker_run_cmd: ["python", "train.py", `# emulator: ${command}`],
    execution_type: gpu,
    ...more,
  });
  const sweep = await submit({
    name: "learning-rate sweep",
    runs: [
      {
        kind: "python",
        name: "train",
        code: training,
        execution_type: gpu,
        timeout: 120,
        matrix: { LR: ["0.1", "0.03", "0.01", "0.003"], SEED: ["1", "2", "3"] },
      },
    ],
    metadata: { team: "vision", ticket: "V-1842" },
    budget: 20,
  });
  const failed = await submit({
    name: "nightly evaluation",
    webhook_url: receiver,
    retry: { max_attempts: 3, on: ["system_failure"] },
    runs: [
      ...lengths.map((ms, index) => image(`shard-${index}`, `delay=${ms}ms pending=200ms`)),
      image("shard-4", "status=system_failure delay=300ms"),
      image("shard-5", "exit=137 delay=400ms"),
      {
        kind: "python",
        name: "report",
        code: "import sys\nprint('Traceback (most recent call last):', file=sys.stderr)\nprint(\"ModuleNotFoundError: No module named 'torch'\", file=sys.stderr)\nsys.exit(1)\n",
      },
    ],
  });
  await Promise.all([sweep, failed].map(({ id }) => service.ended(id)));
  const live = await submit({
    name: "fine-tune llama on the support tickets",
    max_parallel: 3,
    runs: Array.from({ length: 24 }, (_, index) =>
      image(`part-${index}`, index < 6 ? "delay=50ms" : "delay=50s", { timeout: 120 }),
    ),
  });
  await until(
    "runs that are alive",
    async () => (await ann.get(`/v1/jobs/${live.id}`)).body.counts.active >= 3,
  );
  const cancelled = await submit({ name: "ablation, thrown away", runs: [image("a", "delay=50s")] });
  await ann.post(`/v1/jobs/${cancelled.id}/cancel`);
  await service.ended(cancelled.id);
  const waiting = await submit({
    name: "hyperparameter search, second half",
    max_parallel: 1,
    priority: -10,
    runs: Array.from({ length: 8 }, (_, index) => image(`trial-${index}`, "delay=50s")),
  });
  const failedRuns = await service.runsOf(failed.id);
  const runNamed = (name: string) => failedRuns.find((run) => run.name === name)?.id ?? "";
  return {
    sweep: sweep.id,
    failed: failed.id,
    live: live.id,
    waiting: waiting.id,
    webhook: created.body.id,
    sweepRun: (await service.runsOf(sweep.id))[0]?.id ?? "",
    retriedRun: runNamed("shard-4"),
    reportRun: runNamed("report"),
  };
}
