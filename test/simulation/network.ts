// The way between the service and Lyceum, with everything that goes wrong on it: a request that never arrives, an
// answer that never comes back, refusals, throttling, errors before and after the deed, nonsense, outages.
import type { Fetch } from "../../src/lyceum/exchange.ts";
import { Unsent } from "../../src/lyceum/failure.ts";
import type { Agenda } from "./agenda.ts";
import type { Lyceum, LyceumAnswer } from "./lyceum.ts";
import { never, type Power } from "./power.ts";
import type { Random } from "./random.ts";

export interface Network {
  /** Share of the calls that go wrong; 0 is calm weather. */
  faults: number;
  /** While set, every call goes wrong in this way. */
  outage: Fate | null;
  fetchOf(power: Power): Fetch;
  /** A start leaves the service; whether Lyceum will get to judge it. */
  onStart(listener: (marker: string, arrives: boolean) => void): void;
  /** Lyceum has judged a start, for or against it. */
  onJudged(listener: (marker: string, status: number) => void): void;
  onCall(listener: (method: string, path: string) => void): void;
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
  lyceum: Lyceum,
  trace: (line: string) => void,
): Network {
  const startListeners: ((marker: string, arrives: boolean) => void)[] = [];
  const judged: ((marker: string, status: number) => void)[] = [];
  const callListeners: ((method: string, path: string) => void)[] = [];
  const usualMs = random.between(20, 800);

  const network: Network = {
    faults: 0,
    outage: null,
    fetchOf: (power) => (input, init) => (power.spend() ? send(power, String(input), init ?? {}) : never()),
    onStart: (listener) => void startListeners.push(listener),
    onJudged: (listener) => void judged.push(listener),
    onCall: (listener) => void callListeners.push(listener),
  };

  function send(power: Power, url: string, init: RequestInit): Promise<Response> {
    const path = new URL(url).pathname.replace(/^\/api/, "");
    const method = init.method ?? "GET";
    const body = typeof init.body === "string" ? (JSON.parse(init.body) as Record<string, unknown>) : null;
    const isStart = path.endsWith("/start");
    const marker = isStart ? String(body?.file_name).slice(0, 30) : "";
    const fate = network.outage ?? (random.chance(network.faults) ? random.pick(fates) : null);
    if (isStart) {
      trace(`proctor   starts ${marker.slice(-6)} (${fate ?? "fine"})`);
      const arrives =
        fate === null || ["reset_after", "error_after", "stalled_after", "garbled"].includes(fate);
      for (const listener of startListeners) listener(marker, arrives);
    }
    for (const listener of callListeners) listener(method, path);

    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    init.signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
    /** A dead process hears nothing. */
    const later = (fn: () => void) => agenda.after(latency(), () => power.isOn() && fn());
    const failure = (code: string) => Object.assign(new Error(code), { code });
    const fail = (error: Error) => later(() => reject(error));
    const reply = ({ status, json }: LyceumAnswer, headers: Record<string, string> = {}) =>
      later(() => resolve(new Response(JSON.stringify(json), { status, headers })));

    if (fate === "refused") fail(new Unsent(failure("ECONNREFUSED")));
    else if (fate === "stalled_before") return promise;
    else
      agenda.after(latency(), () => {
        if (fate === "reset_before") return fail(failure("ECONNRESET"));
        if (fate === "error_before") return reply({ status: 500, json: { detail: "internal error" } });
        if (fate === "throttled") {
          const seconds = String(random.between(1, 90));
          return reply({ status: 429, json: { detail: "too many" } }, { "retry-after": seconds });
        }
        const answer = lyceum.answer(method, path, body);
        if (isStart) for (const listener of judged) listener(marker, answer.status);
        if (fate === "reset_after") return fail(failure("ECONNRESET"));
        if (fate === "error_after") return reply({ status: 502, json: { detail: "bad gateway" } });
        if (fate === "garbled") return later(() => resolve(new Response("<html>busy</html>")));
        if (fate !== "stalled_after") reply(answer);
      });
    return promise;
  }

  /** Mostly usual, now and then very slow. */
  function latency(): number {
    return random.chance(0.03) ? random.between(1_000, 20_000) : random.between(5, usualMs);
  }

  return network;
}
