// A run may say for itself what the job says for all: how often it is tried again, and after what.
import { expect, it } from "vitest";
import { image, startService } from "../support/service.ts";

const failing = "status=system_failure";

it.concurrent("a run's own retry policy holds for it and its matrix, the job's for the others", async () => {
  await using service = await startService({ surroundings: { random: () => 0 } });
  const { id } = await service.submit({
    runs: [
      image(failing, { retry: { max_attempts: 2, on: ["system_failure"] }, matrix: { A: ["1", "2"] } }),
      image(failing),
    ],
    retry: { max_attempts: 1 },
  });
  const runs = await service.ended(id);
  expect(runs.map(({ status, attempts }) => [status, attempts])).toEqual([
    ["failed", 2],
    ["failed", 2],
    ["failed", 1],
  ]);
});
