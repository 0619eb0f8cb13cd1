// Without PUBLIC_URL nothing can call back: polling alone takes every run to its end, and the service says so.
import { expect, it } from "vitest";
import { image, startService } from "../support/service.ts";

it("without PUBLIC_URL no callback is asked for, and polling finds every end", async () => {
  await using service = await startService({ settings: { PUBLIC_URL: undefined } });
  const { id } = await service.submit({
    runs: [image("delay=80"), image("exit=2"), { kind: "compose", compose_file_code: "services: {}\n" }],
  });
  const runs = await service.ended(id);
  expect(runs.map((run) => run.status)).toEqual(["succeeded", "failed", "succeeded"]);
  expect(runs.map((run) => run.detected_by)).toEqual(["poll", "poll", "poll"]);
  for (const { body } of service.emulator.executions()) expect(body).not.toHaveProperty("user_callback_urls");

  const { callbacks } = await service.status();
  expect(callbacks).toMatchObject({ mode: "polling_only", health: "absent", missed: 0, received: 0 });
  expect(service.logLines.find((line) => line.includes('"event":"started"'))).toContain("polling only");
});
