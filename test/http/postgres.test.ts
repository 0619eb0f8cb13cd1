// Texts and numbers that PostgreSQL does not take are refused before they come to it.
import { expect, it } from "vitest";
import { cursorOf } from "../../src/http/cursor.ts";
import { createDatabase } from "../support/databases.ts";
import { image, type Json, startService } from "../support/service.ts";

it("text that PostgreSQL cannot store is refused by name", async () => {
  const { target, remove } = await createDatabase(false);
  if (target.kind !== "postgres") throw new Error("not a PostgreSQL");
  const jobSecret = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;
  const service = await startService({ settings: { DATABASE_URL: target.url, WEBHOOK_SECRET: jobSecret } });
  const { id } = await service.submit({ runs: [image()] });
  const far = cursorOf("position", 999_999_999_999_999);
  const url = "https://8.8.8.8/\u0000";
  const answers = [
    await service.ann.get(`/v1/jobs/${id}/runs?cursor=${far}`),
    await service.ann.get(`/v1/jobs/${id}/results?cursor=${far}`),
    await service.admin.get("/v1/usage?key=%00"),
    await service.ann.post("/v1/webhooks", { url, types: ["*"] }),
    await service.ann.post("/v1/jobs", { runs: [image()], webhook_url: url }),
  ];
  const shown = answers.map(({ status, body }) => [status, body.errors?.map((one: Json) => one.pointer)]);
  expect(shown).toEqual([
    [422, ["query:cursor"]],
    [422, ["query:cursor"]],
    [422, ["query:key"]],
    [422, ["/url"]],
    [422, ["/webhook_url"]],
  ]);
  const furthest = await service.ann.get(`/v1/jobs/${id}/runs?cursor=${cursorOf("position", 999_999_999)}`);
  expect(furthest).toMatchObject({ status: 200, body: { data: [] } });
  await service.close();
  await remove();
});
