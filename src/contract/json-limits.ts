// Limits of every JSON body. They are checked before the schema, which would report each excess value as an issue.

export interface Excess {
  path: PropertyKey[];
  message: string;
}

/** Too deep or too wide; null otherwise. */
export function structureProblem(value: unknown, depth = 0): Excess | null {
  if (typeof value !== "object" || value === null) return null;
  if (depth >= MAX_DEPTH) return { path: [], message: `is nested deeper than ${MAX_DEPTH} levels` };
  const isList = Array.isArray(value);
  const keys = Object.keys(value);
  const max = isList ? MAX_ENTRIES : MAX_FIELDS;
  if (keys.length > max)
    return { path: [], message: `has ${keys.length} ${isList ? "entries" : "fields"}; the limit is ${max}` };
  // JSON may contain this key, but copying the object would silently drop it.
  if (keys.includes("__proto__")) return { path: ["__proto__"], message: "is not allowed as a name" };
  for (const key of keys) {
    const excess = structureProblem((value as Record<string, unknown>)[key], depth + 1);
    if (excess !== null) return { ...excess, path: [isList ? Number(key) : key, ...excess.path] };
  }
  return null;
}

export function valuesIn(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  return Object.values(value).reduce<number>((count, entry) => count + valuesIn(entry), 1);
}

const MAX_DEPTH = 64;
const MAX_FIELDS = 1_000;
const MAX_ENTRIES = 10_000;
