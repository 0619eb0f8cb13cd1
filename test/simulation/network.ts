// The way between the service and Lyceum, with everything that goes wrong on it: a request that never arrives, an
// answer that never comes back, refusals, throttling, errors before and after the deed, nonsense, outages.

import { NotSentError } from "../../src/lib/network-error.ts";
import type { Fetch } from "../../src/lyceum/http-exchange.ts";
import type { Agenda } from "./agenda.ts";
import { type Answer, type Call, own, toCall } from "./call.ts";
import type { Host } from "./host.ts";
import type { Lyceum } from "./lyceum.ts";
import { never, type Power } from "./power.ts";
import type { Random } from "./random.ts";
import type { Sky } from "./weather/sky.ts";
import { type Stand, somebodyElses } from "./weather/weather.ts";

export interface Network {
  /** Share of the calls that go wrong; 0 is calm weather. */
  faults: number;
  /** While set, every call goes wrong in this way. */
  outage: Fate | null;
  fetchOf(power: Power, host: Host): Fetch;
  onSent(listener: (sent: Sent) => void): void;
  /** Lyceum has judged a start, for or against it. */
  onJudged(listener: (marker: string, status: number) => void): void;
  onHeard(listener: (heard: Heard) => void): void;
}

export interface Sent {
  host: Host;
  call: Call;
  /** Lyceum will get to see it. */
  arrives: boolean;
  /** In an outage of starts: by which name. */
  outage: string | null;
  /** A start's host stood still for so long after its last look at the fence. */
  lateMs: number;
}

/** A call is over for the service. */
export interface Heard {
  host: Host;
  call: Call;
  sentAt: number;
  /** Null: no answer. */
  answer: Answer | null;
  /** Lyceum's own answer; null if any part of the answer was hidden or changed. */
  original: Answer | null;
}

type Init = Parameters<Fetch>[1];

interface Request {
  power: Power;
  host: Host;
  call: Call;
  init: Init;
}

const fates = [
  "refused",
  "reset_before",
  "reset_after",
  "throttled",
  "error_before",
  "error_after",
  "stalled_before",
  "stalled_after",
  "garbled",
] as const;
export type Fate = (typeof fates)[number];
export const outages: readonly Fate[] = ["refused", "stalled_before", "error_before", "reset_before"];

export function createNetwork(
  random: Random,
  agenda: Agenda,
  { lyceum, sky, isNear, trace }: { lyceum: Lyceum; sky: Sky; isNear: boolean; trace(line: string): void },
): Network {
  const sentListeners: ((sent: Sent) => void)[] = [];
  const judgedListeners: ((marker: string, status: number) => void)[] = [];
  const heardListeners: ((heard: Heard) => void)[] = [];
  const drawnMs = random.between(20, 800);
  // Answers to requests of one moment then come together.
  const usualMs = isNear ? 15 : drawnMs;

  const network: Network = {
    faults: 0,
    outage: null,
    fetchOf: (power, host) => (input, init) =>
      power.spend() ? begin(power, host, String(input), init) : never(),
    onSent: (listener) => void sentListeners.push(listener),
    onJudged: (listener) => void judgedListeners.push(listener),
    onHeard: (listener) => void heardListeners.push(listener),
  };

  function begin(power: Power, host: Host, url: string, init: Init): Promise<Response> {
    const body = typeof init.body === "string" ? (JSON.parse(init.body) as Record<string, unknown>) : null;
    const call = toCall(init.method, url, body);
    return call.route === "start" ? start({ power, host, call, init }) : send({ power, host, call, init });
  }

  /** Its host may stand still while the connection is opened, and once more before the first byte. */
  async function start(request: Request): Promise<Response> {
    const { power, init } = request;
    await power.standStillAtStart("connecting");
    if (init.signal.aborted || !init.mayLeave()) throw new NotSentError(failure("not sent"));
    const askedAt = agenda.monotonic();
    await power.standStillAtStart("leaving");
    return send(request, agenda.monotonic() - askedAt);
  }

  function send({ power, host, call, init }: Request, lateMs = 0): Promise<Response> {
    const sentAt = agenda.monotonic();
    const stand = standInTheWay(call);
    if (call.route === "start")
      trace(
        `${host.name.padEnd(9)} starts ${call.marker.slice(-6)} (${stand?.name ?? "fine"}${lateBy(lateMs)})`,
      );
    else if (stand?.isWeather)
      trace(`${host.name.padEnd(9)} ${call.method} ${call.path} meets ${stand.name}`);
    const arrives = stand?.isTaken ?? true;
    const outage = stand?.isOutage === true ? stand.name : null;
    for (const listener of sentListeners) listener({ host, call, arrives, outage, lateMs });

    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    const hear = (answer: Answer | null, original: Answer | null = null) => {
      for (const listener of heardListeners) listener({ host, call, sentAt, answer, original });
    };
    const abort = () => {
      if (power.isOn()) hear(null);
      reject(new DOMException("aborted", "AbortError"));
    };
    if (init.signal.aborted) abort();
    else init.signal.addEventListener("abort", abort);
    /** A dead process hears nothing. */
    const later = (fn: () => void) => agenda.after(latency(), () => power.deliver(fn));
    const fail = (error: Error) =>
      later(() => {
        hear(null);
        reject(error);
      });
    const give = (reply: Stand["reply"], original: Answer | null = null) => {
      if (reply === "silence") return;
      if (reply === "unsent") return fail(new NotSentError(failure("ECONNREFUSED")));
      if (reply === "reset") return fail(failure("ECONNRESET"));
      later(() => {
        // Its host, which stood still, has given the call up: nobody hears the answer.
        if (init.signal.aborted) return;
        hear(reply, reply.isTrue ? original : null);
        resolve(toResponse(reply));
      });
    };

    if (stand !== null && !stand.isTaken && typeof stand.reply === "string") give(stand.reply);
    else
      agenda.after(latency(), () => {
        if (stand !== null && !stand.isTaken) return give(stand.reply);
        const answer = lyceum.answer(call);
        if (call.route === "start") {
          const work = lyceum.works.at(-1);
          if (work?.marker === call.marker) stand?.taken?.(work);
          for (const listener of judgedListeners) listener(call.marker, answer.status);
        }
        give(stand?.reply ?? sky.bend(answer, call), stand === null ? answer : null);
      });
    return promise;
  }

  function standInTheWay(call: Call): (Stand & { name: string; isWeather?: boolean }) | null {
    if (network.outage !== null)
      return { ...standOf(network.outage), name: network.outage, isOutage: network.outage !== "refused" };
    const weather = sky.stand(call);
    if (weather !== null) return { ...weather, isWeather: true };
    if (!random.chance(network.faults)) return null;
    const fate = random.pick(fates);
    return { ...standOf(fate), name: fate };
  }

  function standOf(fate: Fate): Stand {
    if (fate === "refused") return { reply: "unsent", isTaken: false };
    if (fate === "throttled") {
      const headers = { "retry-after": String(random.between(1, 90)) };
      return { reply: { ...own(429, { detail: "too many" }), headers }, isTaken: false };
    }
    const isTaken = fate.endsWith("_after") || fate === "garbled";
    if (fate.startsWith("reset")) return { reply: "reset", isTaken };
    if (fate.startsWith("stalled")) return { reply: "silence", isTaken };
    if (fate === "garbled") return { reply: somebodyElses(200, "<html>busy</html>"), isTaken };
    return { reply: { ...own(isTaken ? 502 : 500, { detail: "internal error" }), isTrue: false }, isTaken };
  }

  /** Mostly usual, now and then very slow. */
  function latency(): number {
    return random.chance(0.03) ? random.between(1_000, 20_000) : random.between(5, usualMs);
  }

  return network;
}

const lateBy = (ms: number) => (ms === 0 ? "" : `, late by ${ms / 1_000} s`);

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}

function toResponse({ status, json, text, headers = {} }: Answer): Response {
  return new Response(text ?? JSON.stringify(json), { status, headers });
}
