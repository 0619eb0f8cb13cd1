#!/usr/bin/env node
import module from "node:module";
import { join } from "node:path";

// `npx proctor`: the sources as they are in a checkout; the emitted JavaScript where the package is installed, because
// Node strips no types under node_modules.
if (Number(process.versions.node.split(".")[0]) < 26) {
  console.error(`proctor needs Node 26 or newer; this is ${process.versions.node}`);
  process.exit(2);
}
// Before any other import: half of a start is compiling. The folder is the installer's own, unlike the default below the
// shared folder for temporary files, where another user could put code. NODE_COMPILE_CACHE goes before.
module.enableCompileCache(join(import.meta.dirname, "../.compile-cache"));
const isInstalled = import.meta.url.includes("/node_modules/");
await import(isInstalled ? "../dist/src/cli.js" : "../src/cli.ts");
