// Field names that hold secrets, also inside the code. Compared without regard to case and separators.
import { LOGIN_FIELDS } from "./secrets.ts";

/** Also as a part of a longer name. */
export function isSecretName(name: string): boolean {
  const plain = name
    .slice(0, MAX_NAME)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "");
  return WHOLE.has(plain) || SECRET_PART.test(plain) || SECRET_END.test(plain);
}

/** In a text of any notation; -1 without one. */
export function secretNameIn(text: string): number {
  return text.search(IN_TEXT);
}

const MAX_NAME = 200;
const phrases = [
  ...LOGIN_FIELDS.map((name) => name.replaceAll("_", " ")),
  "compose file code",
  "docker env",
  "docker registry credentials",
  "docker run env",
  "python code",
  "s3 credentials",
  "callback url",
];
const WHOLE = new Set(["env", "environ", "environment", "envvars", "environmentvariables"]);
const SECRET_PART = new RegExp(phrases.map((phrase) => phrase.replaceAll(" ", "")).join("|"));
const SECRET_END =
  /(?:password|passwd|secret|secretkey|accesskey|accesskeyid|sessiontoken|token|apikey|credentials|authorization)$/;

/** In a text, shorter words are names only if a value follows. The last pattern is how our prelude sets the environment. */
const IN_TEXT = new RegExp(
  [
    ...phrases.map((phrase) => phrase.replaceAll(" ", "[^A-Za-z0-9]{0,3}")),
    String.raw`(?:password|passwd|secret|access[-_]?key|token|api[-_]?key|authorization)["'\\]{0,8}\s{0,8}[:=>]`,
    String.raw`environ\W{0,3}update`,
  ].join("|"),
  "i",
);
