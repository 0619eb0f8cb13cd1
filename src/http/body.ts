// Bodies with a bound, read as they come: nobody's content-length is believed.

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
  if (request.body === null) return { bytes: Buffer.alloc(0), truncated: false };
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of request.body) {
      length += chunk.length;
      const room = max - (length - chunk.length);
      if (room > 0) chunks.push(Buffer.from(chunk).subarray(0, room));
      if (length > max + MOST_DRAINED) break;
    }
  } catch (error) {
    throw new BrokenOff("the body broke off", { cause: error });
  }
  return { bytes: Buffer.concat(chunks), truncated: length > max };
}

const MOST_DRAINED = 16 * 1024 * 1024;
