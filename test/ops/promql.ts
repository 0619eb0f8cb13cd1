// Reads PromQL as Prometheus' own editor does, and names the series that an expression asks for.
import { parser } from "@prometheus-io/lezer-promql";

export interface Selector {
  metric: string;
  /** `value` as it is written: of a regular expression its text. */
  matchers: { label: string; operator: string; value: string }[];
}

/** Grafana's variables are no PromQL; a duration stands in for them. */
const withoutVariables = (expression: string) => expression.replaceAll("$__rate_interval", "5m");

/** @throws Error where the expression cannot be parsed, with the place */
export function selectorsOf(expression: string): Selector[] {
  const text = withoutVariables(expression);
  const selectors: Selector[] = [];
  parser.parse(text).iterate({
    enter(node) {
      if (node.type.isError) throw new Error(`no PromQL at ${node.from}: ${text}`);
      if (node.name !== "VectorSelector") return;
      const own = text.slice(node.from, node.to);
      const metric = /^[\w:]+/.exec(own)?.[0] ?? "";
      const matchers = node.node.getChildren("LabelMatchers").flatMap((list) =>
        list.getChildren("UnquotedLabelMatcher").map((matcher) => {
          const [, label = "", operator = "", value = ""] =
            /^(\w+)\s*(=~|!~|!=|=)\s*"(.*)"$/.exec(text.slice(matcher.from, matcher.to)) ?? [];
          return { label, operator, value };
        }),
      );
      selectors.push({ metric, matchers });
    },
  });
  return selectors;
}

/** The labels by which an expression groups its series; `le` is the histograms' own. */
export function groupingLabelsOf(expression: string): string[] {
  const text = withoutVariables(expression);
  const labels: string[] = [];
  parser.parse(text).iterate({
    enter(node) {
      if (node.name === "GroupingLabels")
        labels.push(...node.node.getChildren("LabelName").map(({ from, to }) => text.slice(from, to)));
    },
  });
  return labels;
}
