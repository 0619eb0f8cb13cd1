// An answer that goes on: texts are made as the reader takes them, so a slow reader costs no memory.
import type { Subscription } from "./feed.ts";

/** Ends with the texts, or when the reader disconnects, which ends the subscription. */
export function textStream(texts: AsyncGenerator<string, void>, subscription: Subscription) {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const text = await texts.next();
        if (text.done) controller.close();
        else controller.enqueue(encoder.encode(text.value));
      },
      async cancel() {
        subscription.end();
        await texts.return();
      },
    },
    // Do not read ahead of the reader.
    { highWaterMark: 0 },
  );
}
