// A list of any length: page after page, as the reader takes it.
import type { Call, Transport } from "./transport.ts";

interface Page<T> {
  data: T[];
  next_cursor: string | null;
}

/**
 * Everything on the list, read page by page.
 * @param call its query may name another `limit` of items per request
 */
export async function* pages<T>(transport: Transport, call: Call): AsyncGenerator<T, void> {
  let cursor: string | undefined;
  do {
    const query = { limit: ON_A_PAGE, ...call.query, cursor };
    const page = await transport.json<Page<T>>({ ...call, query });
    yield* page.data;
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
}

const ON_A_PAGE = 200;
