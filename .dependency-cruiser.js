// Who may import whom. Type-only imports count: the parser is swc, which sees them all.
const mayImport = {
  lib: [],
  domain: [],
  contract: ["domain"],
  telemetry: ["domain"],
  lyceum: ["domain"],
  store: ["domain"],
  orchestration: ["domain", "store", "telemetry"],
  workers: ["domain", "orchestration", "store", "lyceum", "telemetry"],
  http: ["domain", "contract", "orchestration", "store", "telemetry"],
  client: [],
  dashboard: ["client"],
  emulator: [],
  config: ["domain"],
  app: ["domain", "orchestration", "store", "lyceum", "telemetry", "workers", "http"],
};
const alsoFiles = { store: ["^migrations/"], app: ["^src/(config|settings)\\.ts$"] };
const place = (name) => `^src/${name}/`;

export default {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    ...Object.entries(mayImport).map(([name, allowed]) => ({
      name: `${name}-imports`,
      severity: "error",
      from: { path: place(name) },
      to: {
        path: "^(src|migrations)/",
        pathNot: [place(name), place("lib"), ...allowed.map(place), ...(alsoFiles[name] ?? [])],
      },
    })),
    { name: "migrations-imports", severity: "error", from: { path: "^migrations/" }, to: { path: "^src/" } },
    {
      name: "config-imports",
      severity: "error",
      from: { path: "^src/config\\.ts$" },
      to: { path: "^src/", pathNot: ["lib", "domain", "config"].map(place) },
    },
    {
      name: "main-and-cli-see",
      severity: "error",
      from: { path: "^src/(main|cli)" },
      to: {
        path: "^(src|migrations)/",
        pathNot: ["^src/(app|config|cli|main)", ...["lib", "client", "emulator", "domain"].map(place)],
      },
    },
    {
      name: "no-test-code",
      severity: "error",
      from: { path: "^(src|migrations)/" },
      to: { path: "^(test|bench)/" },
    },
    // The bench has packages of its own, which may not be installed.
    {
      name: "resolvable",
      severity: "error",
      from: { path: "^(src|migrations)/" },
      to: { couldNotResolve: true },
    },
    {
      name: "only-production-packages",
      severity: "error",
      from: { path: "^(src|migrations)/" },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], dependencyTypesNot: ["type-only"] },
    },
  ],
  options: {
    parser: "swc",
    doNotFollow: { path: "node_modules" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
    },
  },
};
