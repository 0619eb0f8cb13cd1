// Draws our series with uPlot: our axis labels, colours of the style sheet, stacked bars, shaded stretches.
import type uPlot from "uplot";
import { colour } from "../view/theme.ts";

export interface Line {
  name: string;
  /** A colour of the style sheet. */
  tone: string;
  values: (number | null)[];
  /** Another shape beside the colour. */
  isDashed?: boolean;
}

export interface SeriesProps {
  title: string;
  /** Seconds since the epoch, ascending. */
  times: number[];
  lines: Line[];
  format: (value: number) => string;
  isStacked?: boolean;
  group?: string;
  max?: number;
  shaded?: { from: number; to: number }[];
  height?: number;
}

/** Stacked values are sums with those below; the highest is drawn first. */
export function dataOf({ times, lines, isStacked }: SeriesProps): {
  columns: uPlot.AlignedData;
  drawn: Line[];
} {
  // uPlot stretches a single moment over years.
  const [only] = times;
  if (times.length === 1 && only !== undefined)
    return {
      columns: [[only - 30, only, only + 30], ...lines.map(({ values }) => [null, ...values, null])],
      drawn: lines,
    };
  if (!isStacked) return { columns: [times, ...lines.map(({ values }) => values)], drawn: lines };
  const sums = times.map(() => 0);
  const stacked = lines.map((line) => ({
    ...line,
    values: line.values.map((value, index) => {
      sums[index] = (sums[index] ?? 0) + (value ?? 0);
      return sums[index] ?? 0;
    }),
  }));
  const drawn = stacked.toReversed();
  return { columns: [times, ...drawn.map(({ values }) => values)], drawn };
}

export function optionsOf(
  UPlot: typeof uPlot,
  props: () => SeriesProps,
  width: number,
  { onCursor, onZoom }: { onCursor: (index: number | null) => void; onZoom: (isZoomed: boolean) => void },
): uPlot.Options {
  const { isStacked, group, max, format, height = DEFAULT_HEIGHT } = props();
  const [faint, rule, shade] = [colour("faint"), colour("rule"), colour("shade")];
  const axis = {
    stroke: faint,
    grid: { stroke: rule, width: 1 },
    ticks: { stroke: rule, size: 4 },
    font: "11px system-ui",
  };
  return {
    width,
    height,
    legend: { show: false },
    cursor: { y: false, ...(group === undefined ? {} : { sync: { key: group, setSeries: false } }) },
    scales: {
      x: { time: true },
      y: { range: (_, low, high) => [Math.min(0, low ?? 0), max ?? ((high ?? 0) <= 0 ? 1 : high * 1.1)] },
    },
    axes: [
      {
        ...axis,
        size: 30,
        space: 70,
        values: (_, ticks, _axis, _space, step) => ticks.map((tick) => moment(tick, step)),
      },
      { ...axis, size: 54, values: (_, ticks) => ticks.map((tick) => format(tick)) },
    ],
    series: [{}, ...dataOf(props()).drawn.map((line) => seriesOf(UPlot, line, isStacked === true))],
    hooks: {
      setScale: [(plot, key) => key === "x" && onZoom(isZoomed(plot))],
      setCursor: [(plot) => onCursor(props().times.length === 1 ? null : (plot.cursor.idx ?? null))],
      drawClear: [
        (plot) => {
          plot.ctx.fillStyle = shade;
          const { top, height: tall } = plot.bbox;
          for (const { from, to } of props().shaded ?? []) {
            const left = plot.valToPos(from, "x", true);
            plot.ctx.fillRect(left, top, plot.valToPos(to, "x", true) - left, tall);
          }
        },
      ],
    },
  };
}

/** Less than all of the time is shown. */
function isZoomed({ data: [times], scales: { x } }: uPlot): boolean {
  const [first, last] = [times[0], times.at(-1)];
  if (first === undefined || last === undefined || x?.min == null || x.max == null) return false;
  return x.min > first || x.max < last;
}

export const DEFAULT_HEIGHT = 140;

function seriesOf(UPlot: typeof uPlot, line: Line, isStacked: boolean): uPlot.Series {
  const stroke = colour(line.tone);
  const common = { label: line.name, stroke, spanGaps: false };
  const bars = UPlot.paths.bars?.({ size: [0.8, 40] });
  if (isStacked)
    return { ...common, fill: stroke, width: 0, points: { show: false }, ...(bars && { paths: bars }) };
  const dash = line.isDashed ? { dash: [5, 3] } : {};
  return { ...common, width: 1.5, points: { show: line.values.length < 3 }, ...dash };
}

const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const minute = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const second = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

function moment(at: number, step: number): string {
  const date = new Date(at * 1_000);
  if (step >= 86_400) return day.format(date);
  if (step >= 60) return minute.format(date);
  const fraction = step < 1 ? `.${String(date.getMilliseconds()).padStart(3, "0")}` : "";
  return second.format(date) + fraction;
}
