// The commands as child processes against the real service and the emulated Lyceum: output, JSON and exit codes.
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { apiKeys, freePort, image, type Service, startService, until } from "../support/service.ts";
import { folder, proctor, start } from "./command.ts";

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

const run = (...args: string[]) => proctor(service.url(), args);

it("a script is handed in with its imports, requirements, arguments and environment, and waited for", async () => {
  using here = folder({
    "main.py":
      '"""Doc."""\nfrom __future__ import annotations\nimport os, sys\nfrom tools.math import twice\n' +
      'print(sys.argv, twice(21), os.environ["LR"])\n',
    "tools/math.py": "def twice(x): return 2 * x\n",
    "requirements.txt": "# nothing\n",
  });
  const script = join(here.path, "main.py");
  const { code, stdout, stderr } = await run(
    ...["submit", script, "--name", "first", "--env", "LR=0.5", "--wait", "--metadata", '{"a":1}'],
    ...["--", "--epochs", 'it\'s "3"'],
  );
  expect(stderr).toContain("included: tools/math.py, requirements.txt");
  expect(stderr).toMatch(/✔ main\.py +python +succeeded/);
  expect(stderr).toMatch(/100 % {2}succeeded/);
  expect(code).toBe(0);
  const id = stdout.trim();
  const job = (await service.ann.get(`/v1/jobs/${id}`)).body;
  expect(job).toMatchObject({ name: "first", metadata: { a: 1 } });
  const logs = await run("logs", id);
  expect(logs.stdout).toContain(`['main.py', '--epochs', 'it\\'s "3"'] 42 0.5`);
});

it("the outcome is the exit code: 0 succeeded, 1 failed, 3 cancelled", async () => {
  const [good, bad, ended] = await Promise.all(
    ["", "exit=3", "delay=60s"].map((switches) => service.submit({ runs: [image(switches)] })),
  );
  const cancelled = await run("cancel", ended?.id ?? "", "--wait", "--json");
  expect(cancelled.json().status).toBe("cancelled");
  const outcomes = await Promise.all([good, bad, ended].map((job) => run("wait", job?.id ?? "")));
  expect(outcomes.map(({ code }) => code)).toEqual([0, 1, 3]);
  expect(outcomes.map(({ stdout }) => stdout.trim())).toEqual([
    `${good?.id} succeeded`,
    `${bad?.id} failed`,
    `${ended?.id} cancelled`,
  ]);
});

it("an image runs a command for every value of a matrix, and the results come as table, CSV and JSON", async () => {
  const submitted = await run(
    ...["submit", "--image", "busybox", "--gpu", "a100", "--matrix", "LR=0.1,0.2", "--matrix", "SEED=1,2"],
    ...["--retry", "2:failed", "--timeout", "5m", "--json", "--wait", "--", "true", "-x"],
  );
  const job = submitted.json();
  expect(job).toMatchObject({ status: "succeeded", retry: { max_attempts: 2, on: ["failed"] } });
  const [first] = await service.runsOf(job.id);
  expect(first).toMatchObject({ execution_type: "gpu.a100", timeout: 300, matrix: { LR: "0.1", SEED: "1" } });
  const [table, csv, json] = await Promise.all([
    run("results", job.id),
    run("results", job.id, "--csv"),
    run("results", job.id, "--json"),
  ]);
  expect(table.stdout).toMatch(/^LR +SEED +run +status +exit +time/);
  expect(table.stdout.split("\n")).toHaveLength(6);
  expect(csv.stdout).toMatch(/^run_id,position,name,LR,SEED,status,/);
  expect(json.json().data).toHaveLength(4);
});

it("a job document comes from a file or from stdin, and options add to the job", async () => {
  const document = JSON.stringify({ runs: [image()] });
  using here = folder({ "job.json": document });
  const fromFile = await run(
    "submit",
    join(here.path, "job.json"),
    "--name",
    "sweep",
    "--priority",
    "5",
    "--json",
  );
  expect(fromFile.json()).toMatchObject({ name: "sweep", priority: 5 });
  const options = { stdin: document };
  const args = ["submit", "-", "--idempotency-key", "once"];
  const [one, two] = [
    await proctor(service.url(), args, options),
    await proctor(service.url(), args, options),
  ];
  expect(one.stdout).toMatch(/^job_\w+\n$/);
  expect(two.stdout).toBe(one.stdout);
});

it("what is wrong is said in words, with exit code 2", async () => {
  using here = folder({
    "job.json": '{"runs": [{"kind": "python", "codes": "x"}], "nmae": 1}',
    "x.py": "",
    "y.txt": "",
  });
  const wrong: [string[], RegExp][] = [
    [["submit"], /give a file\.py or job\.json/],
    [["submit", join(here.path, "y.txt")], /neither a \.py nor a \.json/],
    [["submit", join(here.path, "none.py")], /cannot be read \(ENOENT\)/],
    [["submit", join(here.path, "job.json")], /\/nmae: .*\n.*|\/runs\/0\/codes/],
    [["submit", join(here.path, "job.json"), "--gpu", "a100"], /options for runs cannot be combined/],
    [["submit", join(here.path, "x.py"), "--env", "LR"], /name=value/],
    [["submit", join(here.path, "x.py"), "--retry", "many"], /such as 3 or 3:system_failure/],
    [["submit", join(here.path, "x.py"), "--timeout", "soon"], /--timeout takes seconds/],
    [["submit", join(here.path, "x.py"), "--max-parallel", "two"], /must be a number/],
    [["results", "job_none", "-o", join(here.path, "none/x.csv")], /no job with this id/],
    [["wait", "job_none"], /no job with this id/],
    [["logs"], /missing required argument/],
    [["unknown"], /unknown command/],
    [["status", "--key", "a-key-that-nobody-knows"], /PROCTOR_API_KEY/],
  ];
  const outcomes = await Promise.all(wrong.map(([args]) => run(...args)));
  for (const [index, { code, stdout, stderr }] of outcomes.entries()) {
    expect(stderr).toMatch(wrong[index]?.[1] ?? /never/);
    expect(stdout).toBe("");
    expect(code).toBe(2);
  }
  const json = await run("wait", "job_none", "--json");
  expect(json.json()).toMatchObject({ error: { type: "urn:proctor:problem:not-found", status: 404 } });
});

it("a field that is wrong is told once, in words, with Lyceum's bound", async () => {
  using here = folder({ "job.json": '{"runs": [{"kind": "python", "code": "1", "timeout": 601}]}' });
  const { code, stderr } = await run("submit", join(here.path, "job.json"));
  expect(code).toBe(2);
  expect(stderr.match(/timeout/g)).toHaveLength(1);
  expect(stderr).toContain("must be 600 or less: Lyceum's limit in seconds");
});

it("a file that cannot be written is one clear line", async () => {
  const { id } = await service.submit({ runs: [image()] });
  await service.ended(id);
  using here = folder({});
  for (const file of [join(here.path, "none", "x.csv"), here.path]) {
    const { code, stderr } = await run("results", id, "-o", file);
    expect(stderr).toMatch(/^error: \S+ cannot be used \((ENOENT|EISDIR)\)\n$/);
    expect(code).toBe(2);
  }
});

it("the runs of a sweep are told apart by their values, in lines and in front of logs", async () => {
  const sweep = {
    kind: "python",
    name: "train",
    code: "import os; print(os.environ['LR'])",
    matrix: { LR: ["1", "2"] },
  };
  const { id } = await service.submit({ runs: [sweep] });
  await service.ended(id);
  const [logs, status] = await Promise.all([run("logs", id), run("status", id)]);
  expect(logs.stdout).toMatch(/^LR=1 train \| \S+ 1$/m);
  expect(logs.stdout).toMatch(/^LR=2 train \| \S+ 2$/m);
  expect(status.stdout).toMatch(/✔ LR=1 train +python/);
});

it("no answer, and none in time, is exit code 4", async () => {
  const nobody = `http://127.0.0.1:${await freePort()}`;
  const { id } = await service.submit({ runs: [image("delay=60s")] });
  const [unreachable, late] = await Promise.all([
    proctor(nobody, ["status"]),
    run("wait", id, "--timeout", "1s"),
  ]);
  expect([unreachable.code, late.code]).toEqual([4, 4]);
  expect(unreachable.stderr).toMatch(/does not answer: ECONNREFUSED/);
  expect(late.stderr).toMatch(/no end within 1 s: job_\w+ is (queued|active)/);
  await service.ann.post(`/v1/jobs/${id}/cancel`);
});

it("Ctrl-C leaves the job alone and ends with 130", async () => {
  const { id } = await service.submit({ runs: [image("delay=60s")] });
  const waiting = start(service.url(), ["wait", id]);
  await until("a line of progress", () => waiting.said().includes("image"));
  waiting.child.kill("SIGINT");
  const { code, stderr } = await waiting.ended;
  expect(stderr).toContain("Submitted jobs continue");
  expect(code).toBe(130);
  expect((await service.ann.get(`/v1/jobs/${id}`)).body.ended_at).toBeNull();
  await service.ann.post(`/v1/jobs/${id}/cancel`);
});

it("a job is watched live, as lines of events, and as JSON lines", async () => {
  const { id } = await service.submit({ runs: [image("exit=2")] });
  const [live, lines, json] = await Promise.all([
    run("watch", id, "--progress", "live"),
    run("watch", id),
    run("watch", id, "--types", "job.*", "--json"),
  ]);
  expect([live.code, lines.code, json.code]).toEqual([1, 1, 1]);
  expect(live.stdout).toContain("\x1b[2K[");
  expect(lines.stdout).toMatch(/^\S+Z {2}job\.created +job_\w+/);
  expect(lines.stdout).toMatch(/run\.failed/);
  const events = json.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).type);
  expect(events).toEqual(["job.created", "job.active", "job.failed"]);
});

it("a log is followed from before the end until it is whole", async () => {
  const { id } = await service.submit({
    runs: [
      { kind: "python", name: "one", code: "import time\ntime.sleep(1)\nprint('first')\nprint('second')\n" },
      { kind: "python", name: "two", code: "print('third')\nraise SystemExit(4)\n" },
    ],
  });
  const followed = await run("logs", "-f", id);
  expect(followed.stdout).toMatch(/^one \| \S+ .*first$/m);
  expect(followed.stdout).toMatch(/^two \| \S+ .*third$/m);
  expect(followed.stdout.split("\n").filter((line) => line.includes("second"))).toHaveLength(1);
  expect(followed.code).toBe(1);
  const [two] = (await service.runsOf(id)).slice(1);
  const json = await run("logs", two?.id ?? "", "--json");
  expect(JSON.parse(json.stdout.split("\n")[0] ?? "")).toMatchObject({ run_id: two?.id, message: "third" });
});

it("what failed is retried, one run or all of a job", async () => {
  const { id } = await service.submit({ runs: [image(), image("exit=1"), image("exit=2")] });
  await service.ended(id);
  const all = await run("retry", id, "--wait");
  expect(all.code).toBe(1);
  expect(all.stdout.trim().split("\n")).toHaveLength(2);
  const [newest] = all.stdout.trim().split("\n");
  const one = await run("retry", newest ?? "", "--json");
  expect(one.json().data[0].retry_of).toBe(newest);
  const [good] = await service.runsOf(id);
  expect((await run("retry", good?.id ?? "")).code).toBe(2);
});

it("status tells of the service, a job or a run", async () => {
  const { id } = await service.submit({ name: "looked at", runs: [image("exit=1", { name: "only" })] });
  const [only] = await service.ended(id);
  const [whole, job, single, json] = await Promise.all([
    run("status"),
    run("status", id),
    run("status", only?.id ?? ""),
    run("status", "--json"),
  ]);
  expect(whole.stdout).toMatch(/^Proctor \S+, accepting\nqueue +\d+ waiting/);
  expect(job.stdout).toMatch(/looked at\n\[█+\] 100 % {2}failed/);
  expect(single.stdout).toContain("attempt 1  failed");
  expect(json.json().accepting).toBe(true);
});

it("the doctor finds nothing wrong with a service that is well, and says the way out otherwise", async () => {
  const [well, reader, foreign, gone, settings] = await Promise.all([
    run("doctor"),
    proctor(service.url(), ["doctor", "--json"], { env: { PROCTOR_API_KEY: apiKeys.reader } }),
    proctor(service.url(), ["doctor"], { env: { PROCTOR_API_KEY: "nobody's" } }),
    proctor(`http://127.0.0.1:${await freePort()}`, ["doctor"]),
    proctor(service.url(), ["doctor"], { env: { API_KEYS: "short:key", LYCEUM_API_KEY: "lk_1" } }),
  ]);
  expect(well.stdout).toMatch(/✔ key +valid, may submit/);
  expect(well.stdout).not.toContain("✘");
  expect(well.code).toBe(0);
  expect(reader.json().checks).toContainEqual({ check: "key", ok: true, detail: "valid, may only read" });
  expect(foreign.stdout).toMatch(/✘ key +unknown to the service\n +→ compare PROCTOR_API_KEY/);
  expect(gone.stdout).toMatch(/✘ reachable +\S+: ECONNREFUSED/);
  expect(settings.stdout).toMatch(/✘ settings +API_KEYS/);
  expect([foreign.code, gone.code, settings.code]).toEqual([1, 1, 1]);
});

it("status and doctor say that starts are paused, why, and the way out", async () => {
  service.emulator.setChaos({ gateway: [{ routes: "starts", answer: "credits" }] });
  const { id } = await service.submit({ runs: [image()] });
  await until("the pause", async () => (await service.status()).lyceum.starts.state === "paused");
  const [status, doctor] = await Promise.all([run("status"), run("doctor")]);
  service.emulator.setChaos({ gateway: [] });
  expect(status.stdout).toMatch(/starts +paused since 2\S+, next try 2\S+: .*credits or quota are used up/);
  expect(doctor.stdout).toMatch(/✘ starts +paused since .*Insufficient credits\n +→ buy credits/);
  expect(doctor.code).toBe(1);
  expect(await service.ended(id)).toMatchObject([{ status: "succeeded", attempts: 1 }]);
  expect((await run("status")).stdout).not.toContain("paused");
});

it("the help of each command shows examples", async () => {
  const commands = [
    "submit",
    "wait",
    "watch",
    "logs",
    "cancel",
    "retry",
    "results",
    "status",
    "doctor",
    "dev",
  ];
  const helps = await Promise.all(commands.map((command) => run(command, "--help")));
  for (const [index, { code, stdout }] of helps.entries()) {
    expect(stdout).toMatch(new RegExp(`Examples:\\n  \\$ proctor ${commands[index]}`));
    expect(code).toBe(0);
  }
});

it("help tells the commands and the exit codes", async () => {
  const { code, stdout } = await run("--help");
  expect(stdout).toMatch(/submit[\s\S]*doctor[\s\S]*serve[\s\S]*Exit codes: 0 succeeded, 1 failed/);
  expect(code).toBe(0);
});
