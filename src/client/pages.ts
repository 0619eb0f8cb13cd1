// Iterates over a list, reading page after page on demand.
import type { Call, Transport } from "./transport.ts";

interface Page<T> {
  data: T[];
  next_cursor: string | null;
}

/** @param call the query may set another `limit` of items per page */
export async function* pages<T>(transport: Transport, call: Call): AsyncGenerator<T, void> {
  let cursor: string | undefined;
  do {
    const query = { limit: PAGE_SIZE, ...call.query, cursor };
    const page = await transport.json<Page<T>>({ ...call, query });
    yield* page.data;
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
}

const PAGE_SIZE = 200;
