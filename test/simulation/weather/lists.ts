// The list of what lives: old, unreadable, or wrapped in another way.
import type { Answer } from "../call.ts";
import type { Work } from "../work.ts";
import { type MakeWeather, somebodyElses } from "./weather.ts";

/** Shows what has ended as running, for as long as it lasts. */
export const staleList: MakeWeather = ({ random, lyceum, now }) => {
  const share = random.pick([0.5, 1]);
  const isStale = new Map<string, boolean>();
  let since = 0;
  const clings = (work: Work) => {
    const known = isStale.get(work.id) ?? random.chance(share);
    isStale.set(work.id, known);
    return known;
  };
  return {
    begin() {
      since = now();
    },
    bend(answer, { route }) {
      if (route !== "list" || answer.status !== 200) return answer;
      const over = lyceum.works.filter((work) => {
        return !lyceum.isLive(work) && work.endsAt >= since && work.visibleAt < work.endsAt && clings(work);
      });
      const rows = over.map(({ id, marker }) => ({ execution_id: id, status: "running", file_name: marker }));
      const json = [...(answer.json as unknown[]), ...rows];
      return { ...answer, json, stale: over.map(({ id }) => id) };
    },
  };
};

export const unreadableList: MakeWeather = ({ random }) => {
  const change = random.pick<(answer: Answer) => Answer>([
    () => somebodyElses(200, "<html>busy</html>"),
    () => somebodyElses(502, "<html>Bad Gateway</html>"),
    (answer) => ({ ...answer, status: 403, json: { detail: "not for this key" }, isTrue: false }),
    (answer) => ({ ...answer, json: { result_set: { entries: answer.json } }, isTrue: false }),
    (answer) => ({ ...answer, text: JSON.stringify(answer.json).slice(0, -1), isTrue: false }),
  ]);
  return { bend: (answer, { route }) => (route === "list" ? change(answer) : answer) };
};

/** Other names around the same rows: nothing is hidden. */
export const wrappedList: MakeWeather = ({ random }) => {
  const wrap = random.pick<(rows: unknown) => unknown>([
    (rows) => ({ executions: rows }),
    (rows) => ({ workloads: rows, total: 99 }),
    (rows) => ({ status: "success", data: rows }),
    (rows) => ({ status: "success", data: { executions: rows }, message: "ok" }),
    (rows) => [null, { nonsense: true }, ...(rows as unknown[])],
  ]);
  return {
    bend: (answer, { route }) => (route === "list" ? { ...answer, json: wrap(answer.json) } : answer),
  };
};
