// Starts that go wrong while everything else is answered: not now, no money, no answer, an id that is nobody's.
import { type Answer, own, type Silence } from "../call.ts";
import { type MakeWeather, somebodyElses } from "./weather.ts";

/** 503: Lyceum says that nothing was taken. Rarely it was, and shows it at once. */
export const unavailable: MakeWeather = ({ random }) => {
  const retryAfter = random.pick<Record<string, string>>([
    {},
    {},
    { "retry-after": String(random.between(1, 120)) },
  ]);
  const reply: Answer = random.pick([
    { ...own(503, { detail: "temporarily down" }), headers: retryAfter },
    somebodyElses(503, "<html>503 Service Unavailable</html>", retryAfter),
  ]);
  return {
    stand: ({ route }) =>
      route !== "start"
        ? null
        : {
            reply,
            isTaken: random.chance(0.05),
            isOutage: true,
            taken(work) {
              Object.assign(work, { isPrompt: true, visibleAt: work.takenAt, historyAt: work.endsAt });
            },
          },
  };
};

/** Nobody can say what became of a start. */
export const startsAway: MakeWeather = ({ random }) => {
  const reply = random.pick<Answer | Silence>([
    own(500, { detail: "internal error" }),
    somebodyElses(502, "<html>Bad Gateway</html>"),
    somebodyElses(504, ""),
    "reset",
    "silence",
  ]);
  const takes = random.pick([0, 0.3, 1]);
  return {
    stand: ({ route }) =>
      route === "start" ? { reply, isTaken: random.chance(takes), isOutage: true } : null,
  };
};

export const unfunded: MakeWeather = ({ random }) => {
  const reply = random.pick([
    own(402, { detail: "Payment required" }),
    own(400, { detail: "Insufficient credits to start this execution" }),
    own(403, { detail: "Your credits are used up" }),
    own(403, { detail: "Quota exceeded for this organisation" }),
  ]);
  return {
    stand: ({ route }) => (route === "start" ? { reply, isTaken: false, isOutage: true } : null),
  };
};

/** A start is answered with the id of another execution, or with one that no endpoint knows. */
export const oddIds: MakeWeather = ({ random, lyceum }) => ({
  bend(answer, { route, marker }) {
    if (route !== "start" || answer.status !== 200 || !random.chance(0.5)) return answer;
    const others = lyceum.works.filter((work) => work.marker !== marker);
    const json = (id: unknown) => ({
      ...answer,
      json: { execution_id: id, status: "pending" },
      isTrue: false,
    });
    if (others.length > 0 && random.chance(0.5)) return json(random.pick(others).id);
    const text = '{"execution_id":90071992547409931,"status":"pending"}';
    return random.pick([json("ghost-77"), json(".."), json("a/b"), json("\ud800"), { ...json(""), text }]);
  },
});
