// The way between the service and the emulator. Real HTTP, which takes no virtual time, with a latency that does;
// and the mutations that are planned for a run, or for what concerns all of them.
import type { Fetch } from "../../src/lyceum/http-exchange.ts";
import { createHttpTransport } from "../../src/lyceum/http-transport.ts";
import type { Agenda } from "../simulation/agenda.ts";
import type { Random } from "../simulation/random.ts";
import type { Answer, Endpoint, Mutation } from "./mutation.ts";

/** The mutations planned for answers about one run, or about all runs. */
export interface Plan {
  endpoints: readonly Endpoint[];
  /** Null: nothing any more. */
  next(endpoint: Endpoint): Mutation | null;
}

export interface Sent {
  endpoint: Endpoint;
  mutation: Mutation;
}

export interface Layer {
  fetch: Fetch;
  /** The mutations sent for a run; for null those of answers about no single run. */
  sent(run: string | null): readonly Sent[];
}

type Init = Parameters<Fetch>[1];

const routes: [Endpoint, RegExp][] = [
  ["start", /^POST \/execution\/\w+\/start$/],
  ["status", /^GET \/execution\/streaming\/([^/]+)\/status$/],
  ["selection", /^GET \/execution\/gpu_selection\/([^/]+)\/status$/],
  ["timing", /^GET \/execution\/([^/]+)\/timing$/],
  ["metrics", /^GET \/execution\/([^/]+)\/metrics$/],
  ["logs", /^GET \/logs\/execution\/([^/]+)$/],
  ["record", /^GET \/execution\/([^/]+)$/],
  ["abort", /^POST \/workloads\/\w+\/([^/]+)$/],
  ["list", /^GET \/workloads\/list$/],
  ["history", /^GET \/billing\/history$/],
  ["types", /^GET \/machine-types$/],
  ["hardware", /^GET \/user\/quotas/],
  ["login", /^POST \/auth\//],
];
const shared: readonly Endpoint[] = ["list", "history", "types", "hardware", "login"];

/** True answers kept of each endpoint, to be taken for those about other runs. */
const MAX_KNOWN = 20;

interface LayerOptions {
  agenda: Agenda;
  random: Random;
  baseUrl: string;
  /** By the name of the run that stands in its file_name; under null for lists, histories and other shared answers. */
  plans: ReadonlyMap<string | null, Plan>;
}

export function createLayer({ agenda, random, baseUrl, plans }: LayerOptions): Layer {
  const wire = createHttpTransport();
  /** The next answer is the true one. */
  const spared = new Set<Endpoint>();
  /** Lyceum's id to the name of the run. */
  const names = new Map<string, string>();
  const known = new Map<Endpoint, string[]>();
  const sent = new Map<string | null, Sent[]>();
  const hold = holder(agenda);

  async function ask(url: string, init: Init): Promise<Answer> {
    // The emulator gets every request that was sent, even if the sender has given up meanwhile.
    const { signal } = new AbortController();
    const { status, headers, body } = await hold(() => wire(url, { ...init, signal }));
    const chunks: Uint8Array[] = [];
    for await (const chunk of body ?? []) chunks.push(chunk);
    const kept = ["retry-after", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"];
    const given = kept.map((name) => [name, headers.get(name)] as const);
    return {
      status,
      headers: Object.fromEntries(given.filter((entry): entry is [string, string] => entry[1] !== null)),
      text: Buffer.concat(chunks).toString("utf8"),
    };
  }

  function draw(endpoint: Endpoint, run: string | null): Mutation | null {
    const plan = plans.get(run);
    if (plan === undefined || !plan.endpoints.includes(endpoint)) return null;
    if (run === null) {
      // Lists or histories that hide a run one after the other would be Lyceum's word.
      if (spared.delete(endpoint)) return null;
      spared.add(endpoint);
    }
    return plan.next(endpoint);
  }

  async function exchange(url: string, init: Init): Promise<Answer> {
    const path = new URL(url).pathname.slice(new URL(baseUrl).pathname.length);
    const line = `${init.method} ${path}`;
    const [endpoint, pattern] = routes.find(([, route]) => route.test(line)) ?? (["other", /^$/] as const);
    const id = pattern.exec(line)?.[1];
    const ofRun = endpoint === "start" ? runIn(init.body) : names.get(id ?? "");
    const run = shared.includes(endpoint) ? null : (ofRun ?? "unknown");
    const mutation = draw(endpoint, run);
    await pause(random.between(2, 400));
    const truth = mutation?.isHeard === false ? null : await ask(url, init);
    if (truth !== null && truth.status === 200) learn(endpoint, run, truth.text);
    await pause(random.between(2, 400));
    if (mutation === null) return truth ?? never();
    const others = (known.get(endpoint) ?? []).filter((text) => text !== truth?.text);
    const answer = mutation.bend(truth?.text ?? "", others);
    sent.set(run, [...(sent.get(run) ?? []), { endpoint, mutation }]);
    return answer ?? never();
  }

  function learn(endpoint: Endpoint, run: string | null, text: string): void {
    if (endpoint === "start" && run !== null) names.set(JSON.parse(text).execution_id, run);
    known.set(endpoint, [text, ...(known.get(endpoint) ?? [])].slice(0, MAX_KNOWN));
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => void agenda.after(ms, resolve));
  }

  return {
    fetch(url, init) {
      const gaveUp = new Promise<never>((_, reject) => {
        init.signal.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
      });
      const answered = exchange(url, init).then(({ status, headers, text }) => ({
        status,
        headers: { get: (name: string) => headers[name] ?? null },
        body: [Buffer.from(text)],
      }));
      return Promise.race([answered, gaveUp]);
    },
    sent: (run) => sent.get(run) ?? [],
  };
}

/** Virtual time stands still while something real is under way. */
function holder(agenda: Agenda) {
  let underWay = 0;
  const tick = () => {
    if (underWay === 0) return;
    agenda.stir();
    setImmediate(tick);
  };
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (++underWay === 1) tick();
    try {
      return await work();
    } finally {
      underWay--;
    }
  };
}

function runIn(body: string | undefined): string | undefined {
  const { file_name } = JSON.parse(body ?? "{}") as { file_name?: string };
  return /exe_[0-9a-z]{26}-(.+)$/.exec(file_name ?? "")?.[1];
}

function never<T>(): Promise<T> {
  return new Promise(() => {});
}
