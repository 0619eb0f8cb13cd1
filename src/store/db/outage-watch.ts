// Tells each outage of the database once, however many ways of writing see it.
import { DatabaseUnavailable } from "../../lib/database-error.ts";
import type { Write } from "./transaction.ts";

type WriteWay = <T>(run: Write<T>) => Promise<T>;

/** @param onChange called with the first error of an outage, and with null when a write succeeds again */
export function outageWatch(onChange: (outage: DatabaseUnavailable | null) => void) {
  let isUnavailable = false;
  return (write: WriteWay): WriteWay =>
    async (run) => {
      try {
        const result = await write(run);
        if (isUnavailable) onChange(null);
        isUnavailable = false;
        return result;
      } catch (error) {
        if (error instanceof DatabaseUnavailable && !isUnavailable) {
          isUnavailable = true;
          onChange(error);
        }
        throw error;
      }
    };
}
