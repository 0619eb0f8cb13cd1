// Matrix: one run of a submission becomes a run for each combination of the matrix's values.

export type Matrix = Record<string, string[]>;

export function combinationCount(matrix: Matrix): number {
  return Object.values(matrix).reduce((count, values) => count * values.length, 1);
}

export function combinedLength(matrix: Matrix): number {
  const count = combinationCount(matrix);
  const lengths = Object.entries(matrix).map(([name, values]) => {
    const total = values.reduce((sum, value) => sum + name.length + value.length, 0);
    return total * (count / values.length);
  });
  return lengths.reduce((sum, length) => sum + length, 0);
}

/** Every combination, the last name varying fastest. */
export function combinations(matrix: Matrix): Record<string, string>[] {
  const names = Object.entries(matrix);
  return Array.from({ length: combinationCount(matrix) }, (_, index) => {
    let left = index;
    const chosen = names.toReversed().map(([name, values]): [string, string] => {
      const value = values[left % values.length] as string;
      left = Math.floor(left / values.length);
      return [name, value];
    });
    return Object.fromEntries(chosen.reverse());
  });
}
