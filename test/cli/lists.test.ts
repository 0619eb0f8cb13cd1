// Commands that list, look up and complete, as child processes against the real service.
import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, expect, it } from "vitest";
import { colourStatuses, isColoured } from "../../src/cli/colour.ts";
import { image, type Service, startService } from "../support/service.ts";
import { proctor } from "./command.ts";

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

const run = (...args: string[]) => proctor(service.url(), args);

it("jobs and runs are listed by the filters of the API, and a run's output is printed", async () => {
  const { id } = await service.submit({
    name: "listed",
    runs: [image("", { name: "good" }), image("exit=137")],
  });
  const ended = await service.ended(id);
  const good = ended.find(({ name }) => name === "good");
  const [jobs, failed, all, output] = await Promise.all([
    run("jobs", "--name", "listed"),
    run("runs", id, "--status", "failed", "--json"),
    run("runs", "--reason", "killed_by_signal"),
    run("output", good?.id ?? ""),
  ]);
  expect(jobs.stdout).toMatch(new RegExp(`^job .*\\n${id} +listed +failed`));
  expect(failed.json()).toMatchObject({ return_code: 137, error: { reason: "killed_by_signal" } });
  expect(all.stdout.trim().split("\n")).toHaveLength(2);
  expect(output.stdout).toContain("pretended to run image");
});

it("usage, hardware and a watched status are printed", async () => {
  const { id } = await service.submit({ runs: [image()] });
  const [usage, gpus, status] = await Promise.all([
    run("usage", "--group", "key"),
    run("gpus"),
    run("status", id, "--watch", "--json"),
  ]);
  expect(usage.stdout).toMatch(/^key +executions/);
  expect([gpus.code, gpus.stdout.split(" ")[0]]).toEqual([0, "hardware"]);
  expect(JSON.parse(status.stdout.trim().split("\n").at(-1) ?? "").status).toBe("succeeded");
});

it("the shell takes the completions, which know commands and options", async () => {
  const { stdout } = await run("completion", "bash");
  const asked = `${stdout}\nCOMP_WORDS=(proctor runs --re); COMP_CWORD=2; _proctor; echo "\${COMPREPLY[@]}"`;
  expect(spawnSync("bash", ["-c", asked], { encoding: "utf8" }).stdout.trim()).toBe("--reason");
  for (const shell of ["zsh", "fish"]) expect((await run("completion", shell)).stdout).toContain("usage");
});

it("colours heed the terminal, NO_COLOR and --no-color, and leave the words", () => {
  const screen = { write: () => true, isTTY: true };
  expect(isColoured(screen, true, {})).toBe(true);
  expect(isColoured(screen, false, {})).toBe(false);
  expect(isColoured(screen, true, { NO_COLOR: "1" })).toBe(false);
  expect(isColoured({ ...screen, isTTY: false }, true, {})).toBe(false);
  expect(colourStatuses("a failed run")).toBe("a \u001b[31mfailed\u001b[0m run");
});

it("open names the page of the service, of a job or of a run", async () => {
  const pages = await Promise.all([run("open"), run("open", "job_01abc"), run("open", "run_01abc")]);
  expect(pages.map(({ stdout }) => stdout.trim())).toEqual(
    ["", "jobs/job_01abc", "runs/run_01abc"].map((page) => `${service.url()}/#/${page}`),
  );
});
