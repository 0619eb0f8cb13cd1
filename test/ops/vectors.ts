// PromQL arithmetic on series: sums, comparisons, growth and quantiles.

export interface Sample {
  labels: Record<string, string>;
  value: number;
}

export type Vector = Sample[];

export function keyOf(labels: Record<string, string>): string {
  return JSON.stringify(Object.entries(labels).sort());
}

export function aggregate(operator: string, values: number[]): number {
  if (operator === "sum") return values.reduce((sum, value) => sum + value, 0);
  if (operator === "max") return Math.max(...values);
  if (operator === "min") return Math.min(...values);
  if (operator === "count") return values.length;
  throw new Error(`${operator} is not evaluated`);
}

export function calculate(operator: string, left: number, right: number): number | null {
  if (operator === "*") return left * right;
  if (operator === "/") return left / right;
  if (operator === ">") return left > right ? left : null;
  if (operator === "<") return left < right ? left : null;
  if (operator === "==") return left === right ? left : null;
  throw new Error(`${operator} is not evaluated`);
}

export function apply(operator: string, left: number, right: number, { labels }: Sample): Vector {
  const value = calculate(operator, left, right);
  return value === null ? [] : [{ labels, value }];
}

/** The growth of each series that was scraped at least twice; a restart counts from 0. */
export function increases(vectors: Vector[]): Vector {
  const seen = Map.groupBy(vectors.flat(), ({ labels }) => keyOf(labels));
  return [...seen.values()]
    .filter((samples) => samples.length > 1)
    .map((samples) => ({
      labels: samples[0]?.labels ?? {},
      value: samples
        .slice(1)
        .reduce((sum, { value }, index) => sum + growth(samples[index]?.value ?? 0, value), 0),
    }));
}

function growth(before: number, after: number): number {
  return after >= before ? after - before : after;
}

/** Between two buckets linearly, as Prometheus does; the last finite bound above all. */
export function quantiles(quantile: number, buckets: Vector): Vector {
  const groups = Map.groupBy(buckets, ({ labels: { le: _, ...rest } }) => keyOf(rest));
  return [...groups.values()].flatMap((group) => {
    const sorted = group
      .map(({ labels, value }) => ({ le: labels.le === "+Inf" ? Infinity : Number(labels.le), value }))
      .sort((one, other) => one.le - other.le);
    const total = sorted.at(-1)?.value ?? 0;
    if (total === 0) return [];
    const wanted = quantile * total;
    const index = sorted.findIndex(({ value }) => value >= wanted);
    const { le, value } = sorted[index] ?? { le: Infinity, value: total };
    const { le: from, value: before } = sorted[index - 1] ?? { le: 0, value: 0 };
    const { le: _, ...labels } = group[0]?.labels ?? {};
    return [
      { labels, value: le === Infinity ? from : from + ((le - from) * (wanted - before)) / (value - before) },
    ];
  });
}
