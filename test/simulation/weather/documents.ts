// Documents as they come: in an envelope, with nonsense in them, empty at first, or of somebody else.
import type { Answer, Route } from "../call.ts";
import { type MakeWeather, somebodyElses } from "./weather.ts";

const DOCUMENTS: Route[] = ["record", "status", "selection", "timing", "metrics", "logs"];

/** The envelope of Lyceum's older page, around everything. */
export const envelope: MakeWeather = () => ({
  bend(answer) {
    const { status, json, text } = answer;
    if (text !== undefined || (json as { status?: unknown }).status === "success") return answer;
    if (status === 200) return { ...answer, json: { status: "success", data: json, message: "ok" } };
    const { detail } = json as { detail: string };
    return { ...answer, json: { detail, status, type: "error", errors: [{ field: "", message: detail }] } };
  },
});

/** Another execution's record under our id. */
export const foreignRecord: MakeWeather = ({ random, lyceum }) => {
  const another = random.pick<(id: string) => Record<string, unknown>>([
    () => ({ execution_id: "F1", file_name: "theirs.py" }),
    (id) => ({ execution_id: id, file_name: "exe_01jz0000000000000000000000-theirs" }),
    (id) => {
      const other = lyceum.works.find((work) => work.id !== id);
      return other === undefined
        ? { execution_id: "F2" }
        : { execution_id: other.id, file_name: other.marker };
    },
  ]);
  const end = { status: "failed", return_code: 1, stdout: "of somebody else\n", stderr: "", billed: 4_096 };
  const share = random.pick([0.5, 1]);
  return {
    hides: share === 1 ? ["record"] : [],
    bend: (answer, { route, id }) =>
      route === "record" && answer.status === 200 && random.chance(share)
        ? { ...answer, json: { ...end, ...another(id) }, isTrue: false }
        : answer,
  };
};

/** Numbers that JSON does not know, and a mark in front: to be read all the same. */
export const oddJson: MakeWeather = ({ random }) => {
  const isMarked = random.chance(0.5);
  const isNumber = !isMarked || random.chance(0.5);
  return {
    bend(answer, { route }) {
      if (!DOCUMENTS.includes(route) || answer.status !== 200 || answer.text !== undefined) return answer;
      const plain = JSON.stringify(answer.json);
      const text = isNumber ? plain.replace(/\}$/, ',"load":NaN,"peak":-Infinity}') : plain;
      return { ...answer, text: isMarked ? `\ufeff${text}` : text };
    },
  };
};

/** A success that holds an error, or nothing yet. */
export const hollow: MakeWeather = ({ random }) => {
  const routes = random.pick<Route[]>([DOCUMENTS, ["timing", "metrics"], ["logs"], ["record"]]);
  const change = random.pick<(answer: Answer, route: Route) => Answer>([
    () => somebodyElses(200, '{"detail":"Internal error while reading"}'),
    () => somebodyElses(200, '{"error":"backend unavailable"}'),
    (answer, route) => ({ ...answer, json: route === "logs" ? { logs: [], total: 0 } : {}, isTrue: false }),
  ]);
  return {
    hides: routes,
    bend: (answer, { route }) =>
      routes.includes(route) && answer.status === 200 ? change(answer, route) : answer,
  };
};

/** The status of a GPU selection under other names, or without a status of its own. */
export const selectionShapes: MakeWeather = ({ random }) => {
  const change = random.pick<(json: Record<string, unknown>) => unknown>([
    (json) => ({ parent: json, sub_jobs: [] }),
    ({ execution_id, sub_jobs }) => ({ execution_id, jobs: sub_jobs }),
    ({ execution_id, sub_jobs }) => ({ execution_id, sub_jobs }),
    ({ execution_id, status }) => ({ execution_id, state: status, results: {} }),
  ]);
  return {
    bend: (answer, { route }) =>
      route === "selection" && answer.status === 200
        ? { ...answer, json: change(answer.json as Record<string, unknown>) }
        : answer,
  };
};
