// The Dockerfile against a linter, and against what it copies, runs and asks.
import { type Dockerfile, DockerfileParser } from "dockerfile-ast";
import { validate } from "dockerfile-utils";
import {
  commands,
  entryPoint,
  exists,
  nodeVersion,
  ports,
  probeProblems,
  read,
  settingProblems,
} from "../service-facts.ts";

export function dockerfileProblems(text: string): string[] {
  const file = DockerfileParser.parse(text);
  const env = Object.fromEntries(
    file
      .getENVs()
      .flatMap((line) => line.getProperties().map((one) => [one.getName(), one.getValue() ?? ""])),
  );
  const { api } = ports(env);
  const last = (keyword: string) => argumentsOf(file, keyword).at(-1) ?? "";
  return [
    ...validate(text).map(({ message }) => String(message)),
    ...settingProblems(env),
    ...copyProblems(file),
    ...(/^[1-9]\d*:[1-9]\d*$/.test(last("USER")) ? [] : ["the last USER is not a number other than 0"]),
    ...(last("EXPOSE") === `${api}` ? [] : [`EXPOSE is not PORT, ${api}`]),
    ...probeProblems(/PORT \+ '([^']+)'/.exec(last("HEALTHCHECK"))?.[1] ?? "no path"),
    ...(last("ENTRYPOINT") === `["node", "/app/${entryPoint}"]`
      ? []
      : ["ENTRYPOINT does not start package.json's bin"]),
    ...(commands.some((command) => last("CMD") === `["${command}"]`) ? [] : ["CMD is no command"]),
    ...(last("STOPSIGNAL") === "SIGTERM" ? [] : ["STOPSIGNAL is not SIGTERM"]),
    ...(text.includes(`FROM node:${nodeVersion}-slim `) ? [] : [`FROM is not Node ${nodeVersion}`]),
  ];
}

/** Each path copied from the context must exist, and .dockerignore must let it through. */
function copyProblems(file: Dockerfile): string[] {
  const allowed = new Set([...read(".dockerignore").matchAll(/^!(.+)$/gm)].map(([, path]) => path));
  return file
    .getCOPYs()
    .filter((copy) => copy.getFromFlag() === null)
    .flatMap((copy) => copy.getArguments().slice(0, -1))
    .map((argument) => argument.getValue())
    .flatMap((path) =>
      !exists(path) ? [`${path} does not exist`] : allowed.has(path) ? [] : [`${path} is ignored`],
    );
}

function argumentsOf(file: Dockerfile, keyword: string): string[] {
  return file
    .getInstructions()
    .filter((line) => line.getKeyword() === keyword)
    .map((line) => line.getRawArgumentsContent() ?? "");
}
