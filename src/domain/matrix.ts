// Fan-out: one run of a submission stands for a run per combination of its matrix's values.

export type Matrix = Record<string, string[]>;

/** How many combinations there are. */
export function combinationCount(matrix: Matrix): number {
  return Object.values(matrix).reduce((count, values) => count * values.length, 1);
}

/** Every combination, the last name varying fastest. */
export function combinations(matrix: Matrix): Record<string, string>[] {
  return Object.entries(matrix).reduce<Record<string, string>[]>(
    (partial, [name, values]) => partial.flatMap((one) => values.map((value) => ({ ...one, [name]: value }))),
    [{}],
  );
}
