// Cost per day, stacked by the keys that spent it.
import type { Usage } from "../../client/client.ts";
import { api } from "../api.ts";
import { Series } from "../chart/series.ts";
import { credits } from "../format.ts";
import { h } from "../html.ts";
import { useLoad } from "../load.ts";
import { shown } from "../view/state.ts";

/** Colours that tell keys apart; what more keys spent is one stack. */
const tones = ["busy", "late", "good", "warn", "bad"];

interface DailyCostProps {
  from: string;
  byDay: Usage;
  keys: string[];
}

export function DailyCost({ from, byDay, keys }: DailyCostProps) {
  const named = keys.slice(0, tones.length);
  const [perKey, reload] = useLoad(
    `daily cost ${from} ${named.join()}`,
    (signal) => Promise.all(named.map((key) => api.usage({ from, group: "day", key }, { signal }))),
    { everyMs: 60_000 },
  );
  return shown(perKey, reload, (usages) => {
    const days = daysOf(byDay);
    const stacks = usages.map((usage, index) => ({
      name: named[index] ?? "",
      tone: tones[index] ?? "off",
      values: costs(usage, days),
    }));
    const others = costs(byDay, days).map((total, index) => {
      const rest = total - stacks.reduce((sum, { values }) => sum + (values[index] ?? 0), 0);
      return rest > 1e-9 ? rest : 0;
    });
    const lines = others.some((value) => value > 0)
      ? [...stacks, { name: "others", tone: "off", values: others }]
      : stacks;
    const times = days.map((day) => Date.parse(day) / 1_000);
    return h(Series, {
      title: "Credits per day",
      times,
      lines,
      format: credits,
      isStacked: true,
      height: 180,
    });
  });
}

function daysOf({ from, to }: Usage): string[] {
  const days: string[] = [];
  for (let at = Date.parse(from); at <= Date.parse(to); at += DAY_MS)
    days.push(new Date(at).toISOString().slice(0, 10));
  return days;
}

const DAY_MS = 86_400_000;

function costs({ data }: Usage, days: string[]): number[] {
  const known = new Map(data.map(({ day, cost }) => [day, cost.total]));
  return days.map((day) => known.get(day) ?? 0);
}
