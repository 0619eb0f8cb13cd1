// The alert rules as they are shipped.
import { parse } from "yaml";
import { read } from "./service-facts.ts";

export interface Rule {
  alert: string;
  expr: string;
  for?: string;
  labels: { severity: string };
  annotations: { summary: string; description: string; runbook: string };
}

const file = parse(read("ops/prometheus/alerts.yaml")) as { groups: { rules: Rule[] }[] };

export const rules: readonly Rule[] = file.groups.flatMap((group) => group.rules);
