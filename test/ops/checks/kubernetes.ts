// Kubernetes manifests against the types of its API, which know every field, and against the service.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { IDeployment } from "kubernetes-models/apps/v1";
import type { IContainer, IProbe } from "kubernetes-models/v1";
import { parseAllDocuments } from "yaml";
import {
  commands,
  graceProblems,
  limitProblems,
  ports,
  probeProblems,
  root,
  settingProblems,
} from "../service-facts.ts";

interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
}

export function kubernetesProblems(text: string): string[] {
  const manifests = parseAllDocuments(text).map(
    (document) => document.toJS({ maxAliasCount: 20 }) as Manifest,
  );
  return [
    ...typeProblems(manifests),
    ...manifests.flatMap((manifest) => contentProblems(manifest, manifests)),
  ];
}

/** Lets the compiler judge each manifest as a value of its type: unknown, missing and mistyped fields are errors. */
function typeProblems(manifests: Manifest[]): string[] {
  const folder = mkdtempSync(join(root, "node_modules", "proctor-kubernetes-"));
  try {
    const lines = manifests.map(
      (manifest, index) =>
        `const m${index}: import("kubernetes-models/${manifest.apiVersion}").I${manifest.kind} = ${JSON.stringify(manifest)};`,
    );
    writeFileSync(join(folder, "manifests.ts"), `${lines.join("\n")}\nexport {};\n`);
    const compilerOptions = { noUnusedLocals: false };
    const config = { extends: join(root, "tsconfig.json"), compilerOptions, include: ["*.ts"] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
    execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", folder], {
      encoding: "utf8",
    });
    return [];
  } catch (error) {
    const { stdout } = error as { stdout?: string };
    if (stdout === undefined) throw error;
    return stdout.split("\n").filter((line) => line.includes("error TS"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function contentProblems(manifest: Manifest, all: Manifest[]): string[] {
  if (manifest.kind === "Secret")
    return settingProblems((manifest as unknown as { stringData: Record<string, string> }).stringData);
  if (manifest.kind === "Deployment") return deploymentProblems(manifest as unknown as IDeployment, all);
  const deployment = all.find(({ kind }) => kind === "Deployment") as unknown as IDeployment | undefined;
  const labels = deployment?.spec?.template?.metadata?.labels ?? {};
  const { spec } = manifest as unknown as { spec?: { selector?: Record<string, unknown> } };
  const selector = (spec?.selector?.matchLabels ?? spec?.selector ?? {}) as Record<string, string>;
  return Object.entries(selector)
    .filter(([name, value]) => labels[name] !== value)
    .map(([name]) => `${manifest.kind} selects by ${name}, which no pod has`);
}

function deploymentProblems({ spec }: IDeployment, all: Manifest[]): string[] {
  const settings = all.find(({ kind }) => kind === "ConfigMap") as unknown as {
    data: Record<string, string>;
  };
  const pod = spec?.template?.spec;
  const [container] = pod?.containers ?? [];
  if (container === undefined) return ["there is no container"];
  const every = [...(pod?.initContainers ?? []), ...(pod?.containers ?? [])];
  return [
    ...settingProblems(settings.data),
    ...graceProblems(pod?.terminationGracePeriodSeconds ?? 30, settings.data),
    ...limitProblems(settings.data),
    ...portProblems(container, settings.data),
    ...probesOf(container),
    ...every.flatMap(confinementProblems),
    ...(pod?.securityContext?.runAsNonRoot === true ? [] : ["the pod may run as root"]),
    ...(new Set(every.map(({ image }) => image)).size === 1 ? [] : ["the images differ"]),
  ];
}

function portProblems({ ports: open = [] }: IContainer, env: Record<string, string>): string[] {
  const { api, metrics } = ports(env);
  const numbers = Object.fromEntries(open.map(({ name, containerPort }) => [name, containerPort]));
  return [
    ...(numbers.http === api ? [] : [`port http is not ${api}`]),
    ...(numbers.metrics === metrics ? [] : [`port metrics is not ${metrics}`]),
  ];
}

/** The liveness of an instance must not hang on the database, or all instances restart when it is away. */
function probesOf({ startupProbe, livenessProbe, readinessProbe, ports: open = [] }: IContainer): string[] {
  const check = (name: string, probe: IProbe | undefined, path: string) => [
    ...(probe?.httpGet?.path === path ? probeProblems(path) : [`${name} does not ask ${path}`]),
    ...(open.some((port) => port.name === probe?.httpGet?.port) ? [] : [`${name} asks an unknown port`]),
  ];
  return [
    ...check("startupProbe", startupProbe, "/livez"),
    ...check("livenessProbe", livenessProbe, "/livez"),
    ...check("readinessProbe", readinessProbe, "/readyz"),
  ];
}

function confinementProblems({ name, args, securityContext }: IContainer): string[] {
  const { readOnlyRootFilesystem, allowPrivilegeEscalation, capabilities } = securityContext ?? {};
  const isConfined =
    readOnlyRootFilesystem === true &&
    allowPrivilegeEscalation === false &&
    capabilities?.drop?.includes("ALL") === true;
  const [command = ""] = args ?? [];
  return [
    ...(isConfined ? [] : [`${name} is not confined`]),
    ...(commands.includes(command) ? [] : [`${name} runs ${command}, which is no command`]),
  ];
}
