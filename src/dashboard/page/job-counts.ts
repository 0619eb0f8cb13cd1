// Counts the jobs that each status filter would show, up to a bound: a list has no total.
import type { JobFilter } from "../../client/client.ts";
import { api } from "../api.ts";
import { firstOf, useLoad } from "../load.ts";

const MOST = 99;

/** @returns such as `12` or `99+`; empty while nothing is known */
export function useJobCounts<S extends NonNullable<JobFilter["status"]>>(
  statuses: readonly S[],
  filter: Omit<JobFilter, "status">,
  key: string,
): Map<S, string> {
  const [loaded] = useLoad(
    `job counts ${key}`,
    (signal) =>
      Promise.all(
        statuses.map(async (status): Promise<[S, string]> => {
          const list = api.jobs({ ...filter, status }, { signal, limit: MOST + 1 });
          const { data, more } = await firstOf(list, MOST);
          return [status, more ? `${MOST}+` : String(data.length)];
        }),
      ),
    { everyMs: 15_000 },
  );
  return new Map(loaded.type === "ready" ? loaded.value : []);
}
