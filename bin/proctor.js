#!/usr/bin/env node
// `npx proctor`: the sources as they are in a checkout; the emitted JavaScript where the package is installed, because
// Node strips no types under node_modules.
if (Number(process.versions.node.split(".")[0]) < 26) {
  console.error(`proctor needs Node 26 or newer; this is ${process.versions.node}`);
  process.exit(2);
}
const isInstalled = import.meta.url.includes("/node_modules/");
await import(isInstalled ? "../dist/src/cli.js" : "../src/cli.ts");
