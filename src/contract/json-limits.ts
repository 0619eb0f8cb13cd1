// What no body needs, whatever its schema: checked first, as every single mistake in it would become a finding.

export interface Excess {
  path: PropertyKey[];
  message: string;
}

/** Where a JSON value is too deep or too wide, or null. */
export function structureProblem(value: unknown, depth = 0): Excess | null {
  if (typeof value !== "object" || value === null) return null;
  if (depth >= MAX_DEPTH) return { path: [], message: `is nested deeper than ${MAX_DEPTH} levels` };
  const isList = Array.isArray(value);
  const keys = Object.keys(value);
  const most = isList ? MAX_ENTRIES : MAX_FIELDS;
  if (keys.length > most)
    return { path: [], message: `has ${keys.length} ${isList ? "entries" : "fields"}; ${most} are taken` };
  // JSON may have it, and whoever copies the object drops it without a word.
  if (keys.includes("__proto__")) return { path: ["__proto__"], message: "is a name that cannot be taken" };
  for (const key of keys) {
    const excess = structureProblem((value as Record<string, unknown>)[key], depth + 1);
    if (excess !== null) return { ...excess, path: [isList ? Number(key) : key, ...excess.path] };
  }
  return null;
}

/** How many values there are in a JSON value, itself included. */
export function valuesIn(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  return Object.values(value).reduce<number>((count, one) => count + valuesIn(one), 1);
}

const MAX_DEPTH = 64;
const MAX_FIELDS = 1_000;
const MAX_ENTRIES = 10_000;
