// The gate for starts, on a clock that stands still: when it closes, what it lets through, and when it opens.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { StartOutcome } from "../../src/lyceum/outcome.ts";
import { createStartGate, type StartGate, type Ticket } from "../../src/workers/start-gate.ts";
import { createFakeTime } from "../lyceum/fake-time.ts";

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

const accepted: StartOutcome = { type: "accepted", lyceumExecutionId: "l-1", word: "pending" };
const refused: StartOutcome = { type: "refused", status: 422, detail: "no such GPU" };
const throttled: StartOutcome = { type: "throttled", retryAfterMs: 60_000 };
const unknown: StartOutcome = { type: "unknown", detail: "502" };
const unfunded: StartOutcome = { type: "unfunded", detail: "Insufficient credits" };
const unavailable = (retryAfterMs: number | null): StartOutcome => {
  return { type: "unavailable", retryAfterMs, detail: "503" };
};
const proper: StartOutcome[] = [accepted, refused, throttled];
const bad: StartOutcome[] = [
  unknown,
  unfunded,
  unavailable(null),
  unavailable(40 * SECOND),
  { type: "unreachable", detail: "302" },
  { type: "unauthorized", detail: "401" },
];

function sceneOf(random = () => 1) {
  const time = createFakeTime();
  const gate = createStartGate(time, random);
  const leave = () => gate.begin() as Ticket;
  /** Lets time pass until the next probe is due. */
  const untilProbe = () => {
    const waitMs = gate.probeInMs();
    time.pass(waitMs);
    return waitMs;
  };
  const close = (outcome = unknown) => gate.ended(leave(), outcome);
  const readWell = () => {
    gate.beginRead();
    gate.readEnded(true);
  };
  return { time, gate, leave, untilProbe, close, readWell };
}

describe("an open gate", () => {
  test("an open gate lets all starts through, and stays open while they are answered properly", () => {
    const { gate, leave } = sceneOf();
    for (const outcome of proper) gate.ended(leave(), outcome);
    expect(gate.permit()).toEqual({ type: "all" });
    expect(gate.state()).toBeNull();
  });

  test.each(bad)("an open gate is closed by the first start that ends as $outcome", (outcome) => {
    const { gate, leave } = sceneOf();
    const tickets = [leave(), leave(), leave()];
    gate.ended(tickets[0] as Ticket, outcome);
    expect(gate.permit()).toMatchObject({ type: "none" });
    expect(gate.begin()).toBeNull();
    expect(gate.state()).toMatchObject({ reason: outcome.type, failures: 0 });
  });

  test("an open gate is not closed by a start that left before an outage that is over", () => {
    const { gate, leave, untilProbe, readWell } = sceneOf();
    const [first, stalled] = [leave(), leave()];
    gate.ended(first, unknown);
    untilProbe();
    readWell();
    gate.ended(leave(), accepted);
    gate.ended(stalled, unknown);
    expect(gate.permit()).toEqual({ type: "all" });
  });
});

describe("a closed gate", () => {
  test("a closed gate is not opened by starts that left before it was closed", () => {
    const { gate, leave } = sceneOf();
    const [first, second] = [leave(), leave()];
    gate.ended(first, unknown);
    gate.ended(second, accepted);
    expect(gate.permit()).toMatchObject({ type: "none" });
  });

  test("a closed gate lets a read through first, then one start alone, and is opened by its proper answer", () => {
    const { gate, leave, untilProbe, close } = sceneOf();
    close();
    expect(untilProbe()).toBe(SECOND);
    expect(gate.permit()).toEqual({ type: "read" });
    gate.beginRead();
    expect(gate.permit()).toEqual({ type: "none", waitMs: null });
    gate.readEnded(true);
    expect(gate.permit()).toEqual({ type: "one" });
    const probe = leave();
    expect(gate.permit()).toEqual({ type: "none", waitMs: null });
    expect(gate.begin()).toBeNull();
    gate.ended(probe, refused);
    expect(gate.permit()).toEqual({ type: "all" });
  });

  test("risks no start while reads are not answered", () => {
    const { gate, untilProbe, close } = sceneOf();
    close();
    for (let n = 0; n < 100; n++) {
      untilProbe();
      expect(gate.permit()).toEqual({ type: "read" });
      gate.beginRead();
      gate.readEnded(false);
    }
    expect(gate.state()).toMatchObject({ reason: "unknown", failures: 100 });
  });

  test("a closed gate reads again when nothing was started for a while after the read", () => {
    const { gate, time, untilProbe, close, readWell } = sceneOf();
    close();
    untilProbe();
    readWell();
    time.pass(10 * SECOND);
    expect(gate.permit()).toEqual({ type: "read" });
  });

  test("a closed gate needs no read while credits are used up: reads would be answered", () => {
    const { gate, untilProbe, close } = sceneOf();
    close(unfunded);
    untilProbe();
    expect(gate.permit()).toEqual({ type: "one" });
  });

  test("a closed gate doubles the distance with each probe that ends badly, up to five minutes", () => {
    const { gate, leave, untilProbe, close } = sceneOf();
    close(unfunded);
    const seconds = Array.from({ length: 12 }, () => {
      const waitMs = untilProbe();
      gate.ended(leave(), unfunded);
      return waitMs / SECOND;
    });
    expect(seconds).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
  });

  test("a closed gate waits as long as a 503 asks for, an hour at most, and never less than without it", () => {
    const waits = [20 * SECOND, 10, 24 * HOUR].map((retryAfterMs) => {
      const { gate, close } = sceneOf();
      close(unavailable(retryAfterMs));
      return gate.probeInMs();
    });
    expect(waits).toEqual([20 * SECOND, SECOND, HOUR]);
  });

  test("a closed gate heeds the Retry-After of a start that left before it was closed", () => {
    const { gate, leave } = sceneOf();
    const [first, second, third] = [leave(), leave(), leave()];
    gate.ended(first, unknown);
    gate.ended(second, unavailable(30 * SECOND));
    gate.ended(third, unknown);
    expect(gate.probeInMs()).toBe(30 * SECOND);
  });

  test("a closed gate goes on to the next probe when a start came to nothing by a bug", () => {
    const { gate, leave, untilProbe, close, readWell } = sceneOf();
    close();
    untilProbe();
    readWell();
    gate.faulted(leave());
    expect(gate.probeInMs()).toBe(2 * SECOND);
  });

  test("a closed gate reports the newest reason, and the time at which it closed", () => {
    const { gate, time, leave, untilProbe, close } = sceneOf();
    const closedAt = time.now();
    close(unfunded);
    untilProbe();
    gate.ended(leave(), unavailable(null));
    expect(gate.state()).toEqual({
      reason: "unavailable",
      detail: "Lyceum is unavailable: 503",
      since: closedAt,
      failures: 1,
      probeAt: time.now() + 2 * SECOND,
    });
  });

  test("a closed gate does not stay closed for longer because the clock is set back", () => {
    const { gate, time, close } = sceneOf();
    close();
    time.jumpWall(-HOUR);
    time.pass(SECOND);
    expect(gate.permit()).toEqual({ type: "read" });
  });

  test("a closed gate goes on after a restart in the same state, even if the clock was set", () => {
    const former = sceneOf();
    former.close(unavailable(60 * SECOND));
    const pause = former.gate.state();
    if (pause === null) throw new Error("the gate is open");
    const { gate, time } = sceneOf();
    time.pass(20 * SECOND);
    gate.restore(pause, true);
    expect(gate.state()).toEqual(pause);
    expect(gate.probeInMs()).toBe(40 * SECOND);
    gate.restore({ ...pause, probeAt: time.now() + 24 * HOUR }, true);
    expect(gate.probeInMs()).toBe(HOUR);
  });

  test("an open gate heeds the pause of another instance with one probe, and no pause from before that probe", () => {
    const { gate, leave, untilProbe, readWell, time } = sceneOf();
    const since = time.now();
    const pause = { reason: "unknown", detail: "502", since, failures: 7, probeAt: since + HOUR } as const;
    const underWay = leave();
    time.pass(SECOND);
    expect(gate.heed(pause)).toBe(true);
    expect(gate.heed(pause)).toBe(false);
    gate.ended(underWay, accepted);
    expect(gate.state()).toMatchObject({ reason: "unknown", since, failures: 0 });
    expect(untilProbe()).toBe(SECOND);
    readWell();
    gate.ended(leave(), accepted);
    expect(gate.permit()).toEqual({ type: "all" });
    expect(gate.heed(pause)).toBe(false);
    time.pass(SECOND);
    expect(gate.heed({ ...pause, since: time.now() })).toBe(true);
  });

  test("a gate that only heeds another instance opens with the end of that pause, and one of its own does not", () => {
    const { gate, untilProbe, readWell, time } = sceneOf();
    const pause = { reason: "unknown", detail: "502", since: time.now(), failures: 7, probeAt: 0 } as const;
    time.pass(SECOND);
    gate.heed(pause);
    expect(gate.heed(null)).toBe(true);
    expect(gate.permit()).toEqual({ type: "all" });
    gate.heed({ ...pause, since: time.now() + 1 });
    untilProbe();
    readWell();
    const probe = gate.begin() ?? 0;
    expect(gate.heed(null)).toBe(false);
    gate.ended(probe, unknown);
    expect(gate.heed(null)).toBe(false);
    expect(gate.state()).toMatchObject({ failures: 1 });
  });

  test("a closed gate tells which changes another instance made", () => {
    const { gate, close, time } = sceneOf();
    const told: boolean[] = [];
    gate.onChange((_pause, _before, isOwn) => told.push(isOwn));
    gate.heed({ reason: "unknown", detail: "502", since: time.now(), failures: 7, probeAt: 0 });
    gate.heed(null);
    time.pass(SECOND);
    close();
    expect(told).toEqual([false, false, true]);
  });

  test("a closed gate reports each change with the state before", () => {
    const { gate, leave, untilProbe, close } = sceneOf();
    const told: unknown[] = [];
    gate.onChange((pause, before) => told.push([before?.failures ?? null, pause?.failures ?? null]));
    close(unfunded);
    untilProbe();
    gate.ended(leave(), unfunded);
    untilProbe();
    gate.ended(leave(), accepted);
    expect(told).toEqual([
      [null, 0],
      [0, 1],
      [1, null],
    ]);
  });
});

describe("in any weather", () => {
  const outcomes = fc.constantFrom(...proper, ...bad);
  const steps = fc.oneof(
    fc.record({ do: fc.constant("leave" as const), most: fc.integer({ min: 1, max: 8 }) }),
    fc.record({ do: fc.constant("end" as const), which: fc.nat(), outcome: outcomes }),
    fc.record({ do: fc.constant("read" as const), isAnswered: fc.boolean() }),
    fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 400 * SECOND }) }),
  );

  test("no more than one start leaves at a time while it is closed, and no probe is further than it may be", () => {
    fc.assert(
      fc.property(
        fc.array(steps, { maxLength: 80, size: "max" }),
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        (all, jitter) => {
          const { gate, time } = sceneOf(() => jitter);
          const underWay: { ticket: Ticket; isProbe: boolean }[] = [];
          for (const step of all) {
            const wasClosed = gate.state() !== null;
            if (step.do === "wait") time.pass(step.ms);
            if (step.do === "leave") {
              for (let n = 0; n < step.most; n++) {
                const ticket = gate.begin();
                if (ticket !== null) underWay.push({ ticket, isProbe: wasClosed });
              }
            }
            if (step.do === "read" && gate.permit().type === "read") {
              gate.beginRead();
              gate.readEnded(step.isAnswered);
            }
            if (step.do === "end" && underWay.length > 0) {
              const [ended] = underWay.splice(step.which % underWay.length, 1);
              gate.ended((ended as (typeof underWay)[number]).ticket, step.outcome);
              const isOpened = wasClosed && gate.state() === null;
              if (isOpened) expect([ended?.isProbe, proper.includes(step.outcome)]).toEqual([true, true]);
              if (ended?.isProbe && proper.includes(step.outcome)) expect(gate.state()).toBeNull();
            }
            expect(underWay.filter(({ isProbe }) => isProbe).length).toBeLessThanOrEqual(1);
            expect(gate.probeInMs()).toBeLessThanOrEqual(300 * SECOND);
          }
        },
      ),
    );
  });

  test("a gate is opened within a probe once Lyceum answers", () => {
    fc.assert(
      fc.property(fc.array(outcomes, { minLength: 1, maxLength: 30 }), (all) => {
        const { gate, untilProbe } = sceneOf(() => 0.5);
        for (const outcome of all) gate.ended(passed(gate, untilProbe), outcome);
        if (gate.state() !== null) gate.ended(passed(gate, untilProbe), accepted);
        expect(gate.permit()).toEqual({ type: "all" });
      }),
    );
  });

  /** The ticket of the next start that may leave. */
  function passed(gate: StartGate, untilProbe: () => number): Ticket {
    untilProbe();
    if (gate.permit().type === "read") {
      gate.beginRead();
      gate.readEnded(true);
    }
    const ticket = gate.begin();
    if (ticket === null) throw new Error("no start may leave");
    return ticket;
  }
});
