// A kind of trouble that lasts for a while: it stands between the service and Lyceum, changes what Lyceum answers, or
// changes what Lyceum does with what it takes.
import type { Answer, Call, Route, Silence } from "../call.ts";
import type { Lyceum } from "../lyceum.ts";
import type { Random } from "../random.ts";
import type { Work } from "../work.ts";

export interface Weather {
  /** Takes the call in Lyceum's place; null lets it pass. */
  stand?(call: Call): Stand | null;
  /** Changes what Lyceum answers. */
  bend?(answer: Answer, call: Call): Answer;
  /** Routes by which nothing can be learned while it is here. */
  hides?: Route[];
  begin?(): void;
  end?(): void;
}

export interface Stand {
  /** The answer that the service gets, or silence. */
  reply: Answer | Silence;
  /** Lyceum acts on the call all the same. */
  isTaken: boolean;
  /** As long as every start meets this, further ones are to wait. */
  isOutage?: boolean;
  /** Lyceum has taken a start. */
  taken?(work: Work): void;
}

/** The inputs of every weather. */
export interface Air {
  random: Random;
  lyceum: Lyceum;
  now(): number;
}

export type MakeWeather = (air: Air) => Weather;

export const somebodyElses = (
  status: number,
  text: string,
  headers: Record<string, string> = {},
): Answer => ({
  status,
  json: null,
  text,
  headers,
  isTrue: false,
});

const html = (title: string) => `<!doctype html><html><body><h1>${title}</h1></body></html>`;

/** Pages that a gateway answers in Lyceum's place; none of them says anything about what was asked. */
export const refusingPages: Answer[] = [
  somebodyElses(302, "", { location: "https://lyceum.test/maintenance" }),
  somebodyElses(403, html("Forbidden")),
  somebodyElses(404, "default backend - 404"),
  somebodyElses(404, html("Not Found")),
  somebodyElses(404, ""),
  somebodyElses(405, html("Not Allowed")),
  somebodyElses(413, html("Request Entity Too Large")),
];

export const successfulPages: Answer[] = [
  somebodyElses(200, html("Be right back")),
  somebodyElses(200, ""),
  somebodyElses(200, '{"ok":true,"service":"edge"}'),
];
