// Shows the hardware metrics: each series on the same time axis, idle stretches shaded and labelled with their cost.
import type { Metrics, Run } from "../../client/client.ts";
import { api } from "../api.ts";
import { Series } from "../chart/series.ts";
import { bytes, count, credits, duration, percent } from "../format.ts";
import { h, html } from "../html.ts";
import { useLoad } from "../load.ts";
import { place, setQuery } from "../router.ts";
import { Chips, Facts } from "../view/parts.ts";
import { empty, shown } from "../view/state.ts";
import { notYet } from "./artifact.ts";
import { idleStretches, samplesOf } from "./samples.ts";

export function Gpu({ run }: { run: Run }) {
  return notYet(run, "metrics") ?? h(Charts, { run });
}

interface Chart {
  title: string;
  max?: number;
  format: (value: number) => string;
  /** Lyceum's names, and ours. */
  series: [key: string, name: string, tone: string][];
}

const charts: Chart[] = [
  {
    title: "Use",
    max: 100,
    format: (value) => `${Math.round(value)} %`,
    series: [
      ["gpuUtilizationPercent", "GPU", "busy"],
      ["gpuMemoryUtilizationPercent", "GPU memory", "late"],
      ["systemCpuUsagePercent", "CPU", "off"],
    ],
  },
  {
    title: "Power",
    format: (value) => `${count(Math.round(value))} W`,
    series: [
      ["gpuPowerWatt", "drawn", "warn"],
      ["gpuPowerLimitWatt", "limit", "off"],
    ],
  },
  {
    title: "Temperature",
    format: (value) => `${Math.round(value)} °C`,
    series: [["gpuTemperatureCelsius", "GPU", "bad"]],
  },
  {
    title: "Memory of the machine",
    format: bytes,
    series: [
      ["systemRamUsedBytes", "used", "busy"],
      ["systemRamTotalBytes", "there is", "off"],
    ],
  },
];

const steps = ["", "1s", "5s", "15s", "1m"];

/** Stored metrics; another step is read from Lyceum. */
function Charts({ run }: { run: Run }) {
  const step = place.value.query.get("step") ?? "";
  const [metrics, reload] = useLoad(`metrics ${run.id} ${run.status} ${step}`, (signal) =>
    api.metrics(run.id, { signal, ...(step === "" ? {} : { step }) }),
  );
  const options = steps.map((value) => ({ value, label: value || "as stored" }));
  return html`<div class="stack">
    <div class="filters"><span class="faint">Samples</span>${h(Chips, { label: "Distance of samples", value: step, options, onChange: (value) => setQuery({ step: value }) })}</div>
    ${shown(metrics, reload, (value) => h(Measured, { run, metrics: value }))}
  </div>`;
}

function Measured({ run, metrics }: { run: Run; metrics: Metrics }) {
  const { summary, document } = metrics;
  const use = samplesOf(document.gpuUtilizationPercent);
  const idle = idleStretches(use);
  const share = summary.gpu_idle_share;
  const lostMoney = share === null || run.cost === null ? null : share * run.cost;
  const drawn = charts.flatMap(({ title, max, format, series }) => {
    const known = series
      .map(([key, name, tone]) => ({ name, tone, samples: samplesOf(document[key]) }))
      .filter(({ samples }) => samples.length > 0);
    if (known.length === 0) return [];
    const times = [...new Set(known.flatMap(({ samples }) => samples.map(({ at }) => at)))].sort(
      (a, b) => a - b,
    );
    const lines = known.map(({ name, tone, samples }, index) => {
      const byTime = new Map(samples.map(({ at, value }) => [at, value]));
      return { name, tone, values: times.map((at) => byTime.get(at) ?? null), isDashed: index > 0 };
    });
    return [
      { title, times, lines, format, group: run.id, shaded: idle, ...(max === undefined ? {} : { max }) },
    ];
  });
  if (drawn.length === 0) return empty("Nothing was measured", "Lyceum has no samples of this run.");
  const gpu = summary.series.gpu_utilization_percent;
  return html`<div class="stack">
    ${run.findings.map(({ code, detail }) => html`<p key=${code} class="notice warn">${detail}</p>`)}
    ${h(Facts, {
      facts: [
        gpu != null && {
          name: "GPU use",
          value: html`<span>${Math.round(gpu.mean)} % <small>p95 ${Math.round(gpu.p95)} %</small></span>`,
        },
        {
          name: "Idle",
          value: html`<span>${percent(share)} <small>${duration(share === null || run.duration_ms === null ? null : share * run.duration_ms)}${lostMoney === null ? "" : `, ${credits(lostMoney)} credits`}</small></span>`,
        },
        {
          name: "Energy",
          value: summary.energy_wh === null ? "–" : `${summary.energy_wh.toPrecision(3)} Wh`,
        },
        { name: "Hardware", value: run.hardware ?? "–" },
      ],
    })}
    <p class="faint">Drag to zoom, double-click to see all. ${idle.length > 0 && "Shaded: the GPU was idle."}</p>
    ${drawn.map((chart) => h(Series, { key: chart.title, ...chart }))}
  </div>`;
}
