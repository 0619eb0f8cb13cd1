// The Python client's own tests, by every Python on this machine that it is made for, against the real service.
import { execFile, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { apiKeys, startService } from "../support/service.ts";

const run = promisify(execFile);
const folder = fileURLToPath(new URL("../../clients/python", import.meta.url));
const OLDEST_MINOR = 9;
const NEWEST_MINOR = 15;

/** Commands by version: `python3`, and what else of `python3.9` and newer runs. */
function interpreters(): Map<string, string> {
  const names = ["python3"];
  for (let minor = OLDEST_MINOR; minor <= NEWEST_MINOR; minor++) names.push(`python3.${minor}`);
  const found = new Map<string, string>();
  for (const name of names) {
    const told = spawnSync(name, ["--version"], { encoding: "utf8" });
    const [, version, minor] = /^Python (3\.(\d+)\.\S+)/.exec(told.stdout ?? "") ?? [];
    if (version !== undefined && Number(minor) >= OLDEST_MINOR && !found.has(version))
      found.set(version, name);
  }
  return found;
}

const found = [...interpreters()];

if (found.length === 0) test.skip("the Python client is not tested: install python3.9 or newer");

test.each(found)("the Python client passes its tests on Python %s", async (_version, command) => {
  await using service = await startService({ settings: { WEBHOOK_ALLOW_PRIVATE: "127.0.0.0/8" } });
  const env = {
    ...process.env,
    PROCTOR_URL: service.url(),
    PROCTOR_API_KEY: apiKeys.ann,
    PYTHONDONTWRITEBYTECODE: "1",
  };
  const args = ["-W", "error::ResourceWarning", "-m", "unittest", "discover", "--top-level-directory", "."];
  const outcome = await run(command, args, { cwd: folder, env, timeout: 200_000 }).catch(
    (error: { stdout: string; stderr: string }) => error,
  );
  expect(outcome.stderr).toMatch(/\nRan \d+ tests in .*\n\nOK/);
});
