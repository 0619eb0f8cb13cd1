import { defineConfig } from "vitest/config";
import type { Reporter, TestModule } from "vitest/node";

/** One last line that says in plain words how many tests passed and failed. */
const closingLine: Reporter = {
  onTestRunEnd(modules) {
    const tests = modules.flatMap((module: TestModule) => [...module.children.allTests()]);
    const count = (state: string) => tests.filter((test) => test.result().state === state).length;
    console.log(`\n${count("passed")} passed, ${count("failed")} failed, ${count("skipped")} skipped`);
  },
};

const client = new URL("src/client/client.ts", import.meta.url).pathname;

export default defineConfig({
  // What the examples import is the source here, and the emitted client for whoever installs the package.
  resolve: { alias: { "proctor/client": client, "@proctor/client": client } },
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/support/postgres.ts"],
    reporters: ["default", closingLine],
    // Tests wait for facts; these bounds only end what hangs, also on a machine that is busy with something else.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    maxWorkers: 2,
  },
});
