// Sends deliveries, signed per Standard Webhooks: the only HTTP to subscribers. Each destination has few slots.
import type { LookupAddress } from "node:dns";
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import PQueue from "p-queue";
import { Webhook } from "standardwebhooks";
import type { Outcome } from "../../domain/delivery.ts";
import { inForce } from "../../domain/webhook.ts";
import type { Clock, Timers } from "../../lib/clock.ts";
import { DatabaseUnavailable } from "../../lib/database-error.ts";
import { failureName } from "../../lib/network-error.ts";
import { readRetryAfter } from "../../lib/retry-after.ts";
import type { Context } from "../../orchestration/context.ts";
import { recordAttempt, type Tried } from "../../orchestration/record-attempt.ts";
import {
  claimDeliveries,
  type DueDelivery,
  dueDestinations,
  dueForDestination,
  nextDeliveryAt,
  releaseDeliveries,
} from "../../store/deliveries.ts";
import { readSecrets } from "../../store/webhooks.ts";
import type { Worker } from "../loop.ts";
import type { FindDestination } from "./destination.ts";

export interface DeliverOptions {
  findDestination: FindDestination;
  secret: string | null;
  clock: Clock;
  timers: Timers;
  /** A delivery has ended: another may begin. */
  onCapacity: () => void;
  concurrency?: number;
  perDestination?: number;
}

interface Attempt {
  due: DueDelivery;
  tried: Tried;
}

export function createDeliver(context: Context, options: DeliverOptions): Worker {
  const {
    findDestination,
    secret,
    clock,
    timers,
    onCapacity,
    concurrency = 64,
    perDestination = 4,
  } = options;
  const sending = new PQueue({ concurrency });
  const underWay = new Map<string, { destination: string; leaseUntil: number }>();
  const unrecorded: Attempt[] = [];
  const uncertain: { ids: string[]; leaseUntil: number }[] = [];
  let turns = new Map<string, number>();
  let lastTurn = 0;

  async function choose(now: number): Promise<string[]> {
    const taken = Map.groupBy(underWay.values(), ({ destination }) => destination);
    const takenBy = (destination: string) => taken.get(destination)?.length ?? 0;
    const chosen: string[] = [];
    // Queues take turns, so that many dead endpoints together do not hold up a healthy one.
    const destinations = await dueDestinations(context.store.db, now);
    turns = new Map(destinations.map((destination) => [destination, turns.get(destination) ?? 0]));
    for (const destination of destinations.sort((a, b) => (turns.get(a) ?? 0) - (turns.get(b) ?? 0))) {
      const freeSlots = concurrency - underWay.size - chosen.length;
      const slots = Math.min(perDestination - takenBy(destination), freeSlots);
      if (freeSlots <= 0) break;
      if (slots <= 0) continue;
      turns.set(destination, ++lastTurn);
      const due = await dueForDestination(context.store.db, destination, now, slots);
      chosen.push(...due.filter((id) => !underWay.has(id)));
    }
    return chosen;
  }

  async function claim(ids: string[]): Promise<DueDelivery[]> {
    let leaseUntil = 0;
    const claiming = context.store.write(async (tx) => {
      leaseUntil = tx.now + LEASE_MS;
      return claimDeliveries(tx.db, ids, tx.now, leaseUntil, tx.instance);
    });
    const claimed = await claiming.catch((error) => {
      if (leaseUntil > 0) uncertain.push({ ids, leaseUntil });
      throw error;
    });
    for (const { id, destination } of claimed) underWay.set(id, { destination, leaseUntil });
    return claimed;
  }

  async function deliver(due: DueDelivery): Promise<void> {
    const at = clock.now();
    const startedAt = clock.monotonic();
    const outcome = await send(due, at);
    const durationMs = Math.round(clock.monotonic() - startedAt);
    await record({ due, tried: { ...outcome, at, durationMs } });
  }

  /** Keeps the attempt while the database is unavailable: its outcome is known only here. */
  async function record(attempt: Attempt): Promise<void> {
    try {
      await recordAttempt(context, attempt.due, attempt.tried);
      underWay.delete(attempt.due.id);
    } catch (error) {
      context.report.fault("deliver", error);
      // The slot stays taken, so that the number of unrecorded attempts is bounded.
      if (error instanceof DatabaseUnavailable) unrecorded.push(attempt);
      else underWay.delete(attempt.due.id);
    }
  }

  /** Also releases the claims that a fault left behind. */
  async function recover(): Promise<void> {
    const [first] = uncertain;
    if (first !== undefined) {
      await context.store.write((tx) => releaseDeliveries(tx.db, first.ids, [first.leaseUntil], tx.now));
      uncertain.shift();
    }
    await Promise.all(unrecorded.splice(0).map(record));
  }

  async function send(due: DueDelivery, at: number): Promise<Outcome> {
    const stored = due.secrets === null ? null : inForce(readSecrets(due.secrets), at);
    const secrets = stored === null ? [secret] : stored.map((entry) => entry.secret);
    const signing = secrets.filter((text) => text !== null);
    if (signing.length === 0) return failed("no_secret");
    const destination = await findDestination(due.url);
    if (!destination.ok) return failed(destination.error);
    const headers = {
      ...signed(due, signing, at),
      "User-Agent": "Proctor-Webhooks",
      ...(due.traceparent === null ? {} : { traceparent: due.traceparent }),
    };
    return post(due, destination.addresses, headers, clock, timers);
  }

  return {
    name: "deliver",
    async runOnce() {
      await recover();
      const now = clock.now();
      const ids = await choose(now);
      for (const due of ids.length === 0 ? [] : await claim(ids)) {
        void sending
          .add(() => deliver(due))
          .catch((error) => {
            underWay.delete(due.id);
            context.report.fault("deliver", error);
          })
          .finally(onCapacity);
      }
      const nextAt = await nextDeliveryAt(context.store.db, now);
      const isBehind = unrecorded.length + uncertain.length > 0;
      return isBehind ? Math.min(now + AGAIN_AFTER_MS, nextAt ?? Number.POSITIVE_INFINITY) : nextAt;
    },
    idle: () => sending.onIdle(),
    async release() {
      if (underWay.size === 0) return;
      const leases = [...new Set([...underWay.values()].map(({ leaseUntil }) => leaseUntil))];
      await context.store.write((tx) => releaseDeliveries(tx.db, [...underWay.keys()], leases, tx.now));
    },
  };
}

/** Longer than name look-up and request take together. */
const LEASE_MS = 30_000;
const AGAIN_AFTER_MS = 1_000;
const TIMEOUT_MS = 15_000;

function signed({ id, payload }: DueDelivery, secrets: string[], at: number): Record<string, string> {
  const signatures = secrets.map((secret) => new Webhook(secret).sign(id, new Date(at), payload));
  return {
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(at / 1000)),
    "webhook-signature": signatures.join(" "),
  };
}

function failed(error: string): Outcome {
  return { status: null, error, retryAfterMs: null };
}

/** Connects to the given addresses alone. Only the head of the answer is read. */
function post(
  { url, payload }: DueDelivery,
  addresses: LookupAddress[],
  headers: Record<string, string>,
  clock: Clock,
  timers: Timers,
): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const send = url.toLowerCase().startsWith("https:") ? requestHttps : requestHttp;
  const request = send(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(payload), ...headers },
    // No kept connection: it would lead to an address that was checked for another attempt.
    agent: false,
    lookup: (_host, { all }, callback) => {
      const [first] = addresses;
      if (all) callback(null, addresses);
      else callback(null, first?.address ?? "", first?.family ?? 0);
    },
  });
  const cancel = timers.after(TIMEOUT_MS, () => settle(failed("timeout")));
  function settle(outcome: Outcome): void {
    cancel();
    request.destroy();
    resolve(outcome);
  }
  request.on("error", (error) => settle(failed(failureName(error))));
  request.on("response", ({ statusCode = 0, headers: { "retry-after": retryAfter } }) =>
    settle({ status: statusCode, error: null, retryAfterMs: readRetryAfter(retryAfter, clock.now()) }),
  );
  request.end(payload);
  return promise;
}
