// Evaluates the part of PromQL that the alert rules use over a few scrapes, with Prometheus' own parser. `rate` and
// `increase` count between the first and the last scrape of their range, without Prometheus' extrapolation to its ends.
import { parser } from "@prometheus-io/lezer-promql";
import type { Series } from "./exposition.ts";
import {
  aggregate,
  apply,
  calculate,
  increases,
  keyOf,
  quantiles,
  type Sample,
  type Vector,
} from "./vectors.ts";

export interface Scrape {
  atMs: number;
  series: Series[];
}

type Result = Vector | number;
type Node = ReturnType<typeof parser.parse>["topNode"];

/** The series that an expression answers at the time of the last scrape: an alert fires if there is one. */
export function evaluate(expression: string, scrapes: readonly Scrape[]): Vector {
  const node = parser.parse(expression).topNode.firstChild;
  if (node === null) throw new Error(`no PromQL: ${expression}`);
  const result = new Evaluation(expression, scrapes, scrapes.at(-1)?.atMs ?? 0).of(node);
  return typeof result === "number" ? [{ labels: {}, value: result }] : result;
}

class Evaluation {
  readonly #text: string;
  readonly #scrapes: readonly Scrape[];
  readonly #atMs: number;

  constructor(text: string, scrapes: readonly Scrape[], atMs: number) {
    this.#text = text;
    this.#scrapes = scrapes;
    this.#atMs = atMs;
  }

  of(node: Node): Result {
    switch (node.name) {
      case "NumberDurationLiteral":
        return Number(this.#said(node));
      case "ParenExpr":
        return this.of(this.#child(node, 0));
      case "VectorSelector":
        return this.#selected(node, this.#scrapes.at(-1));
      case "OffsetExpr":
        return this.#before(node);
      case "AggregateExpr":
        return this.#aggregated(node);
      case "FunctionCall":
        return this.#called(node);
      case "BinaryExpr":
        return this.#combined(node);
      default:
        throw new Error(`${node.name} is not evaluated: ${this.#text}`);
    }
  }

  #said({ from, to }: Node): string {
    return this.#text.slice(from, to);
  }

  #child(node: Node, index: number): Node {
    const expressions = children(node).filter(({ name }) => EXPRESSIONS.has(name));
    const found = expressions.at(index);
    if (found === undefined) throw new Error(`${this.#said(node)} lacks an operand`);
    return found;
  }

  #vector(node: Node): Vector {
    const result = this.of(node);
    if (typeof result === "number") throw new Error(`${this.#said(node)} is no vector`);
    return result;
  }

  #selected(node: Node, scrape: Scrape | undefined): Vector {
    const metric = /^[\w:]+/.exec(this.#said(node))?.[0];
    const matchers = [...this.#said(node).matchAll(/(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"/g)];
    return (scrape?.series ?? [])
      .filter((series) => series.metric === metric)
      .filter(({ labels }) =>
        matchers.every(([, label = "", operator = "", value = ""]) =>
          matches(labels[label] ?? "", operator, value),
        ),
      )
      .map(({ labels, value }) => ({ labels, value }));
  }

  /** The scrape at or before the offset; none if the recording does not reach back so far. */
  #before(node: Node): Vector {
    const then = this.#atMs - durationOf(this.#said(node).split(/\boffset\b/)[1] ?? "");
    return this.#selected(
      this.#child(node, 0),
      this.#scrapes.findLast(({ atMs }) => atMs <= then),
    );
  }

  #aggregated(node: Node): Vector {
    const by =
      /\bby\s*\(([^)]*)\)/
        .exec(this.#said(node))?.[1]
        ?.split(",")
        .map((label) => label.trim()) ?? [];
    const operator = this.#said(node).match(/^\w+/)?.[0] ?? "";
    const body = node.getChild("FunctionCallBody");
    if (body === null) throw new Error(`${this.#said(node)} has no body`);
    const groups = Map.groupBy(this.#vector(this.#child(body, 0)), ({ labels }) =>
      JSON.stringify(by.map((label) => [label, labels[label] ?? ""])),
    );
    return [...groups].map(([key, samples]) => ({
      labels: Object.fromEntries(JSON.parse(key)),
      value: aggregate(
        operator,
        samples.map(({ value }) => value),
      ),
    }));
  }

  #called(node: Node): Vector {
    const name = this.#said(node).match(/^\w+/)?.[0] ?? "";
    const body = node.getChild("FunctionCallBody");
    if (body === null) throw new Error(`${this.#said(node)} has no arguments`);
    if (name === "absent")
      return this.#vector(this.#child(body, 0)).length === 0 ? [{ labels: {}, value: 1 }] : [];
    if (name === "histogram_quantile")
      return quantiles(Number(this.#said(this.#child(body, 0))), this.#vector(this.#child(body, 1)));
    if (name !== "increase" && name !== "rate") throw new Error(`${name} is not evaluated`);
    const range = this.#child(body, 0);
    const rangeMs = durationOf(/\[(\w+)\]/.exec(this.#said(range))?.[1] ?? "");
    const selector = range.getChild("VectorSelector");
    if (selector === null) throw new Error(`${this.#said(node)} has no range`);
    const inRange = this.#scrapes.filter(({ atMs }) => atMs > this.#atMs - rangeMs);
    const seconds = ((inRange.at(-1)?.atMs ?? 0) - (inRange[0]?.atMs ?? 0)) / 1000;
    return increases(inRange.map((scrape) => this.#selected(selector, scrape))).map(({ labels, value }) => ({
      labels,
      value: name === "rate" ? value / seconds : value,
    }));
  }

  #combined(node: Node): Result {
    const [left, right] = [this.of(this.#child(node, 0)), this.of(this.#child(node, 1))];
    const operator = this.#text.slice(this.#child(node, 0).to, this.#child(node, 1).from).trim();
    const [word = ""] = operator.split(/\s+/);
    const key = ({ labels }: Sample) => (/\bon\s*\(\s*\)/.test(operator) ? "" : keyOf(labels));
    if (word === "and" || word === "or" || word === "unless") {
      if (typeof left === "number" || typeof right === "number") throw new Error(`${word} takes vectors`);
      const has = (vector: Vector, sample: Sample) => vector.some((other) => key(other) === key(sample));
      if (word === "or") return [...left, ...right.filter((sample) => !has(left, sample))];
      return left.filter((sample) => has(right, sample) === (word === "and"));
    }
    if (typeof left === "number" && typeof right === "number")
      return calculate(word, left, right) ?? Number.NaN;
    if (typeof left === "number" && typeof right !== "number")
      return right.flatMap((sample) => apply(word, left, sample.value, sample));
    if (typeof left === "number") throw new Error("unreachable");
    if (typeof right === "number") return left.flatMap((sample) => apply(word, sample.value, right, sample));
    return left.flatMap((sample) => {
      const other = right.find((candidate) => key(candidate) === key(sample));
      return other === undefined ? [] : apply(word, sample.value, other.value, sample);
    });
  }
}

const EXPRESSIONS = new Set([
  "NumberDurationLiteral",
  "ParenExpr",
  "VectorSelector",
  "MatrixSelector",
  "OffsetExpr",
  "AggregateExpr",
  "FunctionCall",
  "BinaryExpr",
]);

function children(node: Node): Node[] {
  const found: Node[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) found.push(child);
  return found;
}

function matches(given: string, operator: string, value: string): boolean {
  const isEqual = operator.includes("~") ? new RegExp(`^(?:${value})$`).test(given) : given === value;
  return operator.startsWith("!") ? !isEqual : isEqual;
}

function durationOf(text: string): number {
  const [, amount, unit = ""] = /(\d+)(s|m|h|d)/.exec(text) ?? [];
  return Number(amount) * ({ s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit] ?? Number.NaN);
}
