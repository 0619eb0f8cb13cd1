// Resolves the host of a webhook's URL. Deliveries connect only to the addresses that were checked here.
import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import PQueue from "p-queue";
import { urlProblem } from "../../domain/webhook.ts";
import type { Timers } from "../../lib/clock.ts";
import { addressJudge } from "../../lib/ip-address.ts";

export type Resolve = (host: string) => Promise<LookupAddress[]>;

export type Destination =
  | { ok: true; addresses: LookupAddress[] }
  /** `unresolved` may be over in a minute; the other errors are the URL's fault. */
  | { ok: false; error: "unresolved" | "bad_url" | "address_refused" | "plain_http"; detail: string };

export type FindDestination = (url: string) => Promise<Destination>;

export interface DestinationOptions {
  allowPrivate: readonly string[];
  timers: Timers;
  resolve?: Resolve | undefined;
}

export function destinationFinder(options: DestinationOptions): FindDestination {
  const { allowPrivate, timers, resolve = systemResolve } = options;
  const standing = addressJudge(allowPrivate);
  // One at a time: Node has few threads for name look-ups, and a silent name server must not hold up Lyceum's name.
  const lookups = new PQueue({ concurrency: 1 });

  return async (text) => {
    const problem = urlProblem(text);
    if (problem !== null) return { ok: false, error: "bad_url", detail: problem };
    const url = new URL(text);
    const addresses = await addressesOf(url.hostname.replace(/^\[|\]$/g, ""));
    if (addresses.length === 0)
      return { ok: false, error: "unresolved", detail: "names a host that cannot be resolved" };
    const standings = addresses.map(({ address }) => standing(address));
    // One refused address is enough: the connection may take any of them.
    if (standings.includes("refused")) {
      const detail = "leads to an address that is not public; WEBHOOK_ALLOW_PRIVATE names exceptions";
      return { ok: false, error: "address_refused", detail };
    }
    if (url.protocol === "http:" && standings.includes("public")) {
      const detail = "is plain HTTP, which is taken only for addresses that WEBHOOK_ALLOW_PRIVATE names";
      return { ok: false, error: "plain_http", detail };
    }
    return { ok: true, addresses };
  };

  async function addressesOf(host: string): Promise<LookupAddress[]> {
    const family = isIP(host);
    if (family !== 0) return [{ address: host, family }];
    const { promise, resolve: giveUp } = Promise.withResolvers<LookupAddress[]>();
    const patience = new AbortController();
    const cancel = timers.after(LOOKUP_MS, () => {
      patience.abort();
      giveUp([]);
    });
    const found = lookups.add(() => resolve(host), { signal: patience.signal }).catch(() => []);
    return Promise.race([found, promise]).finally(cancel);
  }
}

const LOOKUP_MS = 5_000;

function systemResolve(host: string): Promise<LookupAddress[]> {
  return lookup(host, { all: true, order: "verbatim" });
}
