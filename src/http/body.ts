// Reads bodies up to a limit. A declared length only chooses the way of reading; the received bytes count.

export interface Body {
  bytes: Buffer;
  truncated: boolean;
}

/** The connection broke before the body was complete. */
export class IncompleteBody extends Error {}

/**
 * The rest of a longer body is discarded, up to a limit, so that the sender gets the answer. @throws IncompleteBody
 */
export async function readBody(request: Request, max: number): Promise<Body> {
  const declared = Number(request.headers.get("Content-Length") ?? Number.POSITIVE_INFINITY);
  try {
    // Do not touch `body` first: that would create a stream.
    if (declared <= max) return await readWhole(request, max);
    if (request.body === null) return { bytes: Buffer.alloc(0), truncated: false };
    return await readStream(request.body, max);
  } catch (error) {
    throw new IncompleteBody("the body is incomplete: the connection broke", { cause: error });
  }
}

/** Reading at once: a web stream costs more than the rest of a small request. */
async function readWhole(request: Request, max: number): Promise<Body> {
  const bytes = Buffer.from(await request.arrayBuffer());
  return { bytes: bytes.subarray(0, max), truncated: bytes.length > max };
}

async function readStream(body: AsyncIterable<Uint8Array>, max: number): Promise<Body> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    const room = max - (length - chunk.length);
    if (room > 0) chunks.push(Buffer.from(chunk).subarray(0, room));
    if (length > max + MAX_DRAINED) break;
  }
  return { bytes: Buffer.concat(chunks), truncated: length > max };
}

const MAX_DRAINED = 16 * 1024 * 1024;
