// A JSON document by the paths of its values, any of which can be replaced by raw text.

export type Path = (string | number)[];

export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // An answer without a body, such as that of a stranger, is a value of its own.
    return text;
  }
}

const MAX_PATHS = 500;

export function pathsOf(document: unknown): Path[] {
  const paths: Path[] = [[]];
  for (let nth = 0; nth < paths.length && paths.length < MAX_PATHS; nth++) {
    const path = paths[nth] ?? [];
    const value = at(document, path);
    if (Array.isArray(value)) paths.push(...value.map((_, index) => [...path, index]));
    else if (isObject(value)) paths.push(...Object.keys(value).map((key) => [...path, key]));
  }
  return paths;
}

export function at(document: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, step) => (value as Record<Path[number], unknown> | null)?.[step],
    document,
  );
}

/** The document with another value in a field at the top, made of the true one. */
export function withField(text: string, name: string, raw: (value: unknown) => string): string {
  const document = parse(text);
  return withRaw(document, [name], raw(at(document, [name])));
}

const HERE = "\u2063here\u2063";

/** The document as JSON, with the raw text at the path; null takes the value away. */
export function withRaw(document: unknown, path: Path, raw: string | null): string {
  const last = path.at(-1);
  if (last === undefined) return raw ?? "";
  const copy = structuredClone(document);
  const parent = at(copy, path.slice(0, -1));
  if (raw === null) {
    if (Array.isArray(parent)) parent.splice(Number(last), 1);
    else delete (parent as Record<Path[number], unknown>)[last];
    return JSON.stringify(copy);
  }
  (parent as Record<Path[number], unknown>)[last] = HERE;
  return JSON.stringify(copy).replace(JSON.stringify(HERE), () => raw);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
