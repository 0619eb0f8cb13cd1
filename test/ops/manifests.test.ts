// Files for operators are held against schemas, linters and the code, and each check is seen to fail.
import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { composeProblems } from "./checks/compose.ts";
import { dockerfileProblems } from "./checks/dockerfile.ts";
import { flyProblems } from "./checks/fly.ts";
import { kubernetesProblems } from "./checks/kubernetes.ts";
import { litestreamProblems } from "./checks/litestream.ts";
import { systemdProblems } from "./checks/systemd.ts";
import { workflowProblems } from "./checks/workflow.ts";
import { read, root } from "./service-facts.ts";

type Check = (text: string) => string[] | Promise<string[]>;

const files: Record<string, Check> = {
  Dockerfile: dockerfileProblems,
  "ops/compose/try-out.yaml": composeProblems,
  "ops/compose/postgres.yaml": composeProblems,
  "ops/kubernetes/proctor.yaml": kubernetesProblems,
  "ops/kubernetes/secret.example.yaml": kubernetesProblems,
  "ops/systemd/proctor.service": systemdProblems,
  "ops/fly/sqlite.toml": flyProblems,
  "ops/fly/postgres.toml": flyProblems,
  "ops/litestream/litestream.yml": litestreamProblems,
  "ops/workflows/publish.yaml": workflowProblems,
};

test.each(Object.entries(files))("%s has no problem", async (path, check) => {
  expect(await check(read(path))).toEqual([]);
});

/** A fault planted into a file, and the words by which its check must name it. */
const faults: [path: string, from: string, to: string, problem: RegExp][] = [
  ["Dockerfile", "WORKDIR /app", "WORKDIR app", /absolute/],
  ["Dockerfile", "PORT=8080", "PROT=8080", /PROT is no setting/],
  ["Dockerfile", "EXPOSE 8080", "EXPOSE 80", /EXPOSE is not PORT/],
  ["Dockerfile", "'/livez'", "'/health'", /\/health is no open route/],
  ["Dockerfile", "USER 10001:10001", "USER 0:0", /not a number other than 0/],
  ["Dockerfile", "COPY bin ./bin", "COPY docs ./docs", /docs is ignored/],
  ["Dockerfile", "COPY src ./src", "COPY sources ./src", /sources does not exist/],
  ["Dockerfile", '/app/bin/proctor.js"]', '/app/bin/main.js"]', /ENTRYPOINT/],
  ["Dockerfile", "FROM node:26.10.0-slim", "FROM node:20-slim", /FROM is not Node/],
  ["ops/compose/try-out.yaml", "read_only: true", "readonly: true", /additional properties/],
  ["ops/compose/try-out.yaml", "SUBMIT_LIMIT: none", "SUBMIT_LIMITS: none", /SUBMIT_LIMITS is no setting/],
  ["ops/compose/try-out.yaml", "8080:8080", "8080:80", /nothing listens on 80/],
  ["ops/compose/postgres.yaml", "stop_grace_period: 35s", "stop_grace_period: 25s", /killed after 25 s/],
  ["ops/compose/postgres.yaml", "127.0.0.1:9090", "9090", /open to all/],
  ["ops/kubernetes/proctor.yaml", "path: /readyz", "path: /ready", /readinessProbe does not ask/],
  ["ops/kubernetes/proctor.yaml", "minAvailable: 1", "minAvailible: 1", /minAvailible/],
  ["ops/kubernetes/proctor.yaml", "containerPort: 9090", "containerPort: 9091", /port metrics is not 9090/],
  ["ops/kubernetes/proctor.yaml", "100/1h", "200/1h", /SUBMIT_LIMIT is above/],
  ["ops/kubernetes/proctor.yaml", "replicas: 2", "replicas: two", /error TS/],
  ["ops/kubernetes/proctor.yaml", "SUBMIT_CONCURRENCY", "SUBMIT_PARALLEL", /SUBMIT_PARALLEL is no setting/],
  ["ops/kubernetes/proctor.yaml", "PeriodSeconds: 35", "PeriodSeconds: 30", /killed after 30 s/],
  ["ops/kubernetes/proctor.yaml", "readOnlyRootFilesystem: true", "privileged: false", /not confined/],
  ["ops/kubernetes/proctor.yaml", 'args: ["migrate"]', 'args: ["upgrade"]', /upgrade, which is no command/],
  ["ops/kubernetes/secret.example.yaml", "API_KEYS: worker:", "API_KEYS: worker ", /API_KEYS entry 1/],
  ["ops/systemd/proctor.service", "ProtectHome=", "ProtectHomes=", /has no ProtectHomes/],
  ["ops/systemd/proctor.service", "ExitStatus=78", "ExitStatus=75", /ends with 78/],
  ["ops/systemd/proctor.service", "TimeoutStopSec=35", "TimeoutStopSec=20", /killed after 20 s/],
  ["ops/systemd/proctor.service", "bin/proctor.js serve", "src/index.ts", /ExecStart/],
  ["ops/systemd/proctor.service", "StateDirectory=proctor", "StateDirectory=data", /StateDirectory/],
  ["ops/fly/sqlite.toml", 'auto_stop_machines = "off"', 'auto_stop_machines = "stop"', /auto_stop_machines/],
  ["ops/fly/sqlite.toml", "internal_port = 8080", "internal_port = 3000", /internal_port is not 8080/],
  ["ops/fly/sqlite.toml", "sqlite:/data/", "sqlite:/app/", /not on the volume/],
  ["ops/fly/sqlite.toml", "min_machines_running = 1", "min_machines_running = 2", /one process/],
  ["ops/fly/postgres.toml", 'path = "/readyz"', 'path = "/healthz"', /\/healthz is no open route/],
  ["ops/fly/postgres.toml", "100/1h", "100/1m", /SUBMIT_LIMIT is above/],
  ["ops/litestream/litestream.yml", "sync-interval", "sync-intervall", /sync-intervall/],
  ["ops/litestream/litestream.yml", "/data/proctor.db", "/data/other.db", /not where the image/],
  ["ops/workflows/publish.yaml", "timeout-minutes: 90", "timeout: 90", /unexpected key "timeout"/],
  ["ops/workflows/publish.yaml", "npm run verify", "npm run check", /npm run check does not exist/],
  ["ops/workflows/publish.yaml", "node-version: 26.10.0", "node-version: 24.0.0", /Node 24.0.0/],
  ["ops/workflows/publish.yaml", "REVISION=$", "COMMIT=$", /takes no COMMIT/],
  ["ops/workflows/publish.yaml", "needs: [verify, audit]", "needs: [verify]", /not verified and audited/],
];

test.each(faults)("in %s, %s written as %s is found", async (path, from, to, problem) => {
  const text = read(path);
  expect(text).toContain(from);
  const problems = await files[path]?.(text.replace(from, to));
  expect(problems?.join("\n")).toMatch(problem);
});

test("every file for operators is checked by a test", () => {
  const all = readdirSync(`${root}/ops`, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`.slice(root.length).replace(/^\//, ""));
  const elsewhere = /^ops\/(README\.md|prometheus\/|grafana\/)/;
  expect(all.filter((path) => !(path in files) && !elsewhere.test(path))).toEqual([]);
});
