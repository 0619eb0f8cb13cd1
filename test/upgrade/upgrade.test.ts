// A database of the previous release is opened, migrated and worked on: nothing that it held is lost or changed.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { DatabaseTarget } from "../../src/store/db/dialect.ts";
import { createDatabase } from "../support/databases.ts";
import { image, startService } from "../support/service.ts";
import { load, readFixture } from "./fixture.ts";

/** The release before this one; before the first release the build that the fixture names. */
const PREVIOUS = "0.1.0";

const open: Record<DatabaseTarget["kind"], () => Promise<DatabaseTarget>> = {
  async sqlite() {
    const folder = mkdtempSync(join(tmpdir(), "proctor-upgrade-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    return { kind: "sqlite", path: join(folder, "proctor.db") };
  },
  async postgres() {
    const { target, remove } = await createDatabase(false);
    onTestFinished(remove);
    return target;
  },
};

test.each(["sqlite", "postgres"] as const)(
  "a %s database of the previous release is migrated, answers as before, and its open runs reach their end",
  async (kind) => {
    const fixture = readFixture(PREVIOUS);
    const target = await open[kind]();
    await load(target, fixture);
    const url = target.kind === "sqlite" ? `sqlite:${target.path}` : target.url;
    const settings = { DATABASE_URL: url, RETENTION: "3650d", IN_DOUBT_AFTER: "1s" };
    await using service = await startService({ settings });

    for (const { job, runs, output } of fixture.ended) {
      expect((await service.ann.get(`/v1/jobs/${job.id}`)).body).toMatchObject(job);
      expect(await service.runsOf(job.id)).toMatchObject(runs);
      expect((await service.ann.get(`/v1/runs/${runs[0]?.id}/output`)).body).toMatchObject(output as object);
    }

    // A repeated submission starts nothing anew.
    const { key, body, id } = fixture.submission;
    const again = await service.ann.post("/v1/jobs", body, { "Idempotency-Key": key });
    expect([again.status, again.body.id]).toEqual([200, id]);

    // This Lyceum never knew the execution that was alive; it ends as lost, as it should. What waited is started.
    const [alive = "", queued = ""] = fixture.open;
    expect((await service.ended(queued)).map((run) => run.status)).toEqual(["succeeded", "succeeded"]);
    expect((await service.ended(alive)).map((run) => run.error?.code)).toEqual(["lost"]);
    expect((await service.run(image())).status).toBe("succeeded");
    expect((await service.status()).queue).toMatchObject({ depth: 0, live: 0, without_wakeup: 0 });
  },
);

test("a fixture names the build that wrote it", () => {
  expect(readFixture(PREVIOUS)).toMatchObject({
    release: PREVIOUS,
    build: expect.stringMatching(/^[0-9a-f]{7,}$/),
  });
});
