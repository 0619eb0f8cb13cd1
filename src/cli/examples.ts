// Examples in each command's help.
import type { Command } from "commander";

export function addExamples(program: Command): void {
  for (const command of program.commands) {
    const lines = (examples[command.name()] ?? []).map((example) => `  $ proctor ${example}`);
    if (lines.length > 0) command.addHelpText("after", `\nExamples:\n${lines.join("\n")}`);
  }
}

const JOB = "job_01kawv9x2m4t6r8s0p1q3n5v7w";
const RUN = "run_01kawv9x2m4t6r8s0p1q3n5v7x";

const examples: Record<string, string[]> = {
  submit: [
    "submit train.py --gpu a100 --wait -- --epochs 3",
    "submit train.py --matrix LR=0.1,0.01 --matrix SEED=1,2,3 --max-parallel 4",
    "submit --image ghcr.io/team/train:7 --gpu h100 --timeout 10m -- python train.py",
    "submit job.json --idempotency-key nightly-1842",
  ],
  wait: [`wait ${JOB}`, `wait ${RUN} --timeout 10m --json`],
  watch: [`watch ${JOB}`, "watch --types 'run.failed,job.*' --json"],
  logs: [`logs ${RUN}`, `logs -f ${JOB} --color`],
  cancel: [`cancel ${JOB} --wait`, `cancel ${RUN} --mode stop`],
  retry: [`retry ${JOB} --wait`, `retry ${RUN}`],
  results: [`results ${JOB}`, `results ${JOB} --csv -o sweep.csv`],
  status: ["status", `status ${JOB}`, "status --json"],
  jobs: ["jobs --status failed,cancelled", "jobs --name nightly -n 10 --json"],
  runs: [`runs ${JOB} --sort -cost`, "runs --status failed --reason out_of_memory"],
  output: [`output ${RUN} > out.txt`],
  usage: ["usage --group key", "usage --from 2026-01-01 --to 2026-01-31 --json"],
  gpus: ["gpus"],
  completion: [
    "completion bash > ~/.local/share/bash-completion/completions/proctor",
    "completion fish | source",
  ],
  doctor: ["doctor", "doctor --url https://proctor.example.com --key-file ./key"],
  serve: ["serve"],
  dev: ["dev", "dev --port 9000 --data ./proctor-data"],
  emulate: ["emulate --port 8090"],
  migrate: ["migrate"],
  backup: ["backup", "backup /backup/before-upgrade.db"],
  restore: ["restore /backup/proctor-2026-11-29T05-00-00Z.db", "restore --mark"],
  export: ["export > jobs.ndjson", `export ${JOB} --capsule job.proctor`],
  open: ["open job.proctor"],
  move: [
    "move --from sqlite:data/proctor.db --to postgres://proctor@db/proctor",
    "move --from sqlite:data/proctor.db --undo",
  ],
};
