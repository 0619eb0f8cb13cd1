// The operator's page as the browser gets it: TypeScript modules with stripped types, imports renamed by their hash, so
// that a browser may keep each part for ever. Only modules that the first one reaches are served.
import { hash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { basename, extname } from "node:path";
import { parse } from "es-module-lexer/js";

export interface Part {
  text: string;
  type: "text/javascript" | "text/css";
}

export interface DashboardParts {
  byName: Map<string, Part>;
  modules: string[];
  styles: string[];
}

/** A change on disk is seen at the next start. */
export async function readDashboardParts(): Promise<DashboardParts> {
  const byName = new Map<string, Part>();
  const module = moduleReader(byName);
  const { needs, name } = await module(new URL(`main${extension}`, folder).href);
  const styles: string[] = [];
  for (const url of styleSheets()) {
    const text = await readFile(new URL(url), "utf8");
    styles.push(add(byName, url, { text, type: "text/css" }));
  }
  return { byName, modules: [...needs, name], styles };
}

const folder = new URL("../dashboard/", import.meta.url);
/** The sources in a checkout, the emitted JavaScript in an installed package. */
const extension = extname(new URL(import.meta.url).pathname);

function styleSheets(): string[] {
  const own = ["base", "layout", "table", "chart", "run"].map((name) => `${name}.css`);
  return [
    import.meta.resolve("uplot/dist/uPlot.min.css"),
    ...own.map((name) => new URL(`style/${name}`, folder).href),
  ];
}

interface Module {
  name: string;
  needs: Set<string>;
}

function moduleReader(byName: Map<string, Part>): (url: string) => Promise<Module> {
  const known = new Map<string, Promise<Module>>();
  const module = (url: string): Promise<Module> => {
    const reading = known.get(url) ?? read(url);
    known.set(url, reading);
    return reading;
  };

  async function read(url: string): Promise<Module> {
    const source = await readFile(new URL(url), "utf8");
    const script = (url.endsWith(".ts") ? stripTypes(source) : source).replace(
      /^\/\/# sourceMappingURL.*$/m,
      "",
    );
    const needs = new Set<string>();
    let text = "";
    let copiedTo = 0;
    const [imports] = parse(script);
    for (const found of imports) {
      if (found.type !== "static" && found.type !== "dynamic") continue;
      const { specifier, start, end } = found;
      if (specifier === undefined) throw new Error(`an import of ${url} is no literal`);
      const target = await module(resolve(specifier, url));
      if (found.type === "static") for (const name of [...target.needs, target.name]) needs.add(name);
      const quote = found.type === "dynamic" ? '"' : "";
      text += `${script.slice(copiedTo, start)}${quote}./${target.name}${quote}`;
      copiedTo = end;
    }
    text += script.slice(copiedTo);
    return { name: add(byName, url, { text, type: "text/javascript" }), needs };
  }

  return module;
}

function resolve(specifier: string, from: string): string {
  if (specifier.startsWith(".")) return new URL(specifier, from).href;
  return import.meta.resolve(forBrowsers[specifier] ?? specifier);
}

/** Packages that give Node another form than browsers. */
const forBrowsers: Record<string, string> = { uplot: "uplot/dist/uPlot.esm.js" };

function add(byName: Map<string, Part>, url: string, part: Part): string {
  const suffix = part.type === "text/css" ? "css" : "js";
  const stem = basename(url).replace(/\.\w+$/, "");
  const name = `${stem}.${hash("sha256", part.text, "hex").slice(0, 12)}.${suffix}`;
  byName.set(name, part);
  return name;
}

/** Node still calls the function experimental, and says so on stderr, where a service writes nothing but its log. */
function stripTypes(source: string): string {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return stripTypeScriptTypes(source);
  } finally {
    process.emitWarning = emitWarning;
  }
}
