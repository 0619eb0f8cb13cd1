// Waiting for facts: a test goes on as soon as what it waits for is there, however slow the machine is. The bound only
// ends a test that would hang, and names what never came.
import { vi } from "vitest";

const PATIENCE_MS = 90_000;

/** Asks again until the answer is truthy, and returns it. @throws Error naming what never came */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
): Promise<Exclude<T, false | null | undefined>> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  for (;;) {
    const seen = await look();
    if (seen) return seen as Exclude<T, false | null | undefined>;
    if (performance.now() > giveUpAt) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}

/** Repeats until it no longer throws. @throws what it threw last */
export function eventually<T>(assertion: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(assertion, { timeout: PATIENCE_MS, interval: 15 });
}
