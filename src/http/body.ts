// Bodies with a bound. A declared length only chooses how to read; what counts is what came.

export interface Body {
  bytes: Buffer;
  /** There was more than `max`. */
  truncated: boolean;
}

/** The sender went away before the body was whole. */
export class BrokenOff extends Error {}

/**
 * Reads up to `max` bytes. Of a longer body the rest is let through unread, up to a bound, so that an answer arrives.
 * @throws BrokenOff
 */
export async function readBody(request: Request, max: number): Promise<Body> {
  const declared = Number(request.headers.get("Content-Length") ?? Number.POSITIVE_INFINITY);
  try {
    // Before any look at `body`, which would make a stream of it.
    if (declared <= max) return await readWhole(request, max);
    if (request.body === null) return { bytes: Buffer.alloc(0), truncated: false };
    return await readStream(request.body, max);
  } catch (error) {
    throw new BrokenOff("the body broke off", { cause: error });
  }
}

/** In one go: chunk by chunk, a web stream costs more than all the rest of a small request. */
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
