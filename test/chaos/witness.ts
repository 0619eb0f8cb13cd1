// The view of readers and subscribers while instances come and go: the stream of events, and deliveries to a webhook.
import { createClient } from "../../src/client/client.ts";
import { createApi } from "../crash/api.ts";
import { startReceiver } from "../support/receiver.ts";

export interface Delivered {
  id: string;
  event_id: string;
  attempts: number;
  state: string;
}

export interface Witness {
  /** Compares what was seen with what the database holds; `crashes` may have repeated a delivery each. */
  judge(
    held: { events: readonly { seq: number }[]; deliveries: readonly Delivered[] },
    crashes: number,
  ): string[];
  /** Numbers of the events read so far. */
  seen(): number;
  close(): Promise<void>;
}

export async function startWitness(url: string, adminKey: string): Promise<Witness> {
  const receiver = await startReceiver();
  const api = createApi(url, adminKey);
  const created = await api.call("POST", "/v1/webhooks", { url: receiver.url, types: ["run.succeeded"] });
  if (created.status !== 201) throw new Error(`the webhook was answered ${created.status}`);
  const over = new AbortController();
  const seqs: number[] = [];
  const troubles: string[] = [];

  /** As a worker does: it begins again where it was, whatever broke off. */
  async function read(): Promise<void> {
    while (!over.signal.aborted) {
      const client = createClient({ url, apiKey: adminKey });
      const lastEventId = seqs.at(-1) ?? 0;
      try {
        for await (const event of client.events("all", { lastEventId, signal: over.signal }))
          seqs.push(event.seq);
      } catch (error) {
        if (over.signal.aborted) return;
        const status = error instanceof Error && "status" in error ? error.status : null;
        if (typeof status === "number" && status !== 503) troubles.push(`the stream was answered ${status}`);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
  }
  const reading = read();

  return {
    seen: () => seqs.length,
    judge({ events, deliveries }, crashes) {
      const gap = seqs.findIndex((seq, index) => seq !== events[index]?.seq);
      const arrivals = new Map<string, number>();
      for (const { headers } of receiver.received) {
        const id = String(headers["webhook-id"]);
        arrivals.set(id, (arrivals.get(id) ?? 0) + 1);
      }
      const recorded = deliveries.reduce((sum, { attempts }) => sum + attempts, 0);
      const missing = deliveries.filter(({ id, state }) => state === "delivered" && !arrivals.has(id));
      return [
        ...troubles,
        ...(gap === -1 ? [] : [`the reader has event ${seqs[gap]} where the table has ${events[gap]?.seq}`]),
        ...(seqs.length === events.length
          ? []
          : [`the reader has ${seqs.length} of ${events.length} events`]),
        ...missing.map(({ id }) => `delivery ${id} counts as delivered and never came`),
        ...(receiver.received.length <= recorded + crashes
          ? []
          : [
              `${receiver.received.length} deliveries came, ${recorded} are recorded, after ${crashes} crashes`,
            ]),
      ];
    },
    async close() {
      over.abort();
      await reading;
      await receiver.stop();
    },
  };
}
