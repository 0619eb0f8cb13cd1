// The systemd unit, against the names that systemd has and against the service.
import { entryPoint, exists, graceProblems, seconds, settingProblems } from "../service-facts.ts";

/** Every directive that the unit uses, as systemd.unit(5), systemd.service(5) and systemd.exec(5) spell it. */
const DIRECTIVES: Record<string, RegExp> = {
  Unit: /^(Description|Documentation|Wants|After|StartLimitIntervalSec)$/,
  Service:
    /^(Type|EnvironmentFile|Environment|WorkingDirectory|ExecStart|Restart|RestartSec|RestartPreventExitStatus|KillSignal|TimeoutStopSec|DynamicUser|StateDirectory|StateDirectoryMode|CacheDirectory|UMask|NoNewPrivileges|CapabilityBoundingSet|AmbientCapabilities|Protect(System|Home|Clock|Hostname|KernelLogs|KernelModules|KernelTunables|ControlGroups|Proc)|ProcSubset|Private(Tmp|Devices|Users)|LockPersonality|RemoveIPC|Restrict(Namespaces|Realtime|SUIDSGID|AddressFamilies)|SystemCall(Architectures|Filter|ErrorNumber)|LimitNOFILE)$/,
  Install: /^WantedBy$/,
};

/** Exit code of a service whose settings or database only a person can put right, see src/main.ts. */
const CONFIGURATION_EXIT = "78";

export function systemdProblems(text: string): string[] {
  const { entries, problems } = parseUnit(text);
  const valuesOf = (name: string) => entries.filter((entry) => entry.name === name).map(({ value }) => value);
  const [value] = [(name: string) => valuesOf(name).at(-1) ?? ""];
  const env = Object.fromEntries(
    valuesOf("Environment").map((line) => [line.split("=", 1)[0] ?? "", line.slice(line.indexOf("=") + 1)]),
  );
  const folder = value("WorkingDirectory");
  return [
    ...problems,
    ...settingProblems(env),
    ...graceProblems(seconds(value("TimeoutStopSec")), env),
    ...(value("ExecStart") === `/usr/bin/node ${folder}/${entryPoint} serve` && exists(entryPoint)
      ? []
      : ["ExecStart does not start package.json's bin"]),
    ...(value("RestartPreventExitStatus") === CONFIGURATION_EXIT
      ? []
      : [`a service that ends with ${CONFIGURATION_EXIT} is started again`]),
    ...(env.DATABASE_URL?.startsWith(`sqlite:/var/lib/${value("StateDirectory")}/`)
      ? []
      : ["the database is not in the StateDirectory"]),
    ...(env.NODE_COMPILE_CACHE === `/var/cache/${value("CacheDirectory")}`
      ? []
      : ["the compile cache is not in the CacheDirectory"]),
  ];
}

function parseUnit(text: string) {
  const entries: { section: string; name: string; value: string }[] = [];
  const problems: string[] = [];
  let section = "";
  for (const [index, line] of text.split("\n").entries()) {
    if (line === "" || line.startsWith("#")) continue;
    const header = /^\[(\w+)\]$/.exec(line)?.[1];
    if (header !== undefined) {
      section = header;
      continue;
    }
    const [, name = "", value = ""] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (DIRECTIVES[section]?.test(name)) entries.push({ section, name, value });
    else problems.push(`line ${index + 1}: [${section}] has no ${name || line}`);
  }
  return { entries, problems };
}
