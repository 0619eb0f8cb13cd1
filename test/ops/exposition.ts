// The text that Prometheus scrapes, read into series.

export interface Series {
  metric: string;
  labels: Record<string, string>;
  value: number;
}

export function readExposition(text: string): Series[] {
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [, metric = "", inner = "", value = ""] = /^([\w:]+)(?:\{(.*)\})? (\S+)/.exec(line) ?? [];
      const labels = [...inner.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, name, text]) => [name, text]);
      return { metric, labels: Object.fromEntries(labels), value: Number(value) };
    });
}
