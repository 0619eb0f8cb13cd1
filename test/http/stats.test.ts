// Series over HTTP: what happened is there, right after a restart too, and a chart has no gaps.
import { expect, it } from "vitest";
import { eachService } from "../support/each-service.ts";
import { image, type Json, until } from "../support/service.ts";

const sum = (points: Json[], value: (point: Json) => number) =>
  points.reduce((all, one) => all + value(one), 0);

eachService("series for charts", {}, (of) => {
  it("the series count starts, ends, callbacks, delays and rejections, and survive a restart", async () => {
    const { id } = await of().submit({ runs: [image(), image("status=failed"), image()] });
    await of().ended(id);
    await of().nobody.post("/callbacks/lyceum/exe_x/wrong");
    await of().nobody.post("/callbacks/lyceum/exe_x");
    await of().restart();
    const points = async (who: "ann" | "admin" = "admin") => (await of()[who].get("/v1/stats")).body.data;
    const data = await points();
    expect(data.length).toBeGreaterThanOrEqual(60);
    expect(sum(data, (point) => point.started)).toBe(3);
    expect(sum(data, (point) => point.ended.succeeded)).toBe(2);
    expect(sum(data, (point) => point.ended.failed)).toBe(1);
    expect(sum(data, (point) => point.time_to_knowledge?.samples ?? 0)).toBe(3);
    expect(sum(data, (point) => point.callbacks.rejected.wrong_token)).toBe(1);
    expect(sum(data, (point) => point.callbacks.rejected.missing_token)).toBe(1);
    expect(sum(data, (point) => point.lyceum_calls.total)).toBeGreaterThanOrEqual(6);
    const at = data.map((point: Json) => Date.parse(point.at));
    expect(at).toEqual(at.map((_: number, index: number) => at[0] + index * 60_000));
    expect((await points("ann")).every((point: Json) => point.cost === null)).toBe(true);
    const status = await of().status();
    expect(status.time_to_knowledge).toMatchObject({ samples: 3, share_in_time: expect.any(Number) });
    expect(status.callbacks).toMatchObject({
      rejected: 2,
      rejected_by: { wrong_token: 1, missing_token: 1, unknown_path: 0 },
    });
    await until("the levels", async () => (await points()).at(-1).waiting === 0);
    await until("the metric", async () =>
      (await of().nobody.get("/metrics")).text.includes(
        'proctor_time_to_knowledge_day_seconds{quantile="0.99"}',
      ),
    );
  });

  it("the series are also given by the hour, and only within bounds", async () => {
    const { body } = await of().ann.get("/v1/stats?step=1h");
    expect(body.data.length).toBeGreaterThanOrEqual(24);
    expect(sum(body.data, (point) => point.started)).toBe(3);
    for (const query of [
      "from=2020-01-01T00:00:00Z",
      "to=2020-01-01T00:00:00Z&from=2021-01-01T00:00:00Z",
      "step=5m",
    ])
      expect((await of().ann.get(`/v1/stats?${query}`)).status).toBe(422);
  });
});
