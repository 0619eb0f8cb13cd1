// Series over time, by uPlot, which is loaded with the first chart. Charts of one group share their cursor and zoom.
import { useEffect, useRef, useState } from "preact/hooks";
import type uPlot from "uplot";
import { full } from "../format.ts";
import { html } from "../html.ts";
import { theme } from "../view/theme.ts";
import { DEFAULT_HEIGHT, dataOf, type Line, optionsOf, type SeriesProps } from "./plot.ts";

export function Series(props: SeriesProps) {
  const { title, times, lines, format, height = DEFAULT_HEIGHT } = props;
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const isZoomed = useRef(false);
  const [pointed, setPointed] = useState<number | null>(null);
  // A page renders often; a chart is drawn anew only for another shape, and given data only when they differ.
  const shape = `${lines.map(({ name, tone }) => name + tone).join()} ${height} ${props.group}`;
  const content = `${times.join()} ${lines.map(({ values }) => values.join()).join(";")}`;
  const look = theme.value;

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    let isGone = false;
    const observer = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height }));
    void import("uplot").then(({ default: UPlot }) => {
      if (isGone) return;
      const onZoom = (is: boolean) => {
        isZoomed.current = is;
      };
      const options = optionsOf(UPlot, () => latest.current, element.clientWidth, {
        onCursor: setPointed,
        onZoom,
      });
      plot.current = new UPlot(options, dataOf(latest.current).columns, element);
      observer.observe(element);
    });
    return () => {
      isGone = true;
      observer.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [shape, look]);
  useEffect(() => {
    // New data does not end a zoom.
    plot.current?.setData(dataOf(latest.current).columns, !isZoomed.current);
    if (isZoomed.current) plot.current?.redraw();
  }, [content]);

  const at = pointed === null ? undefined : times[pointed];
  const shownValue = ({ values }: Line) =>
    pointed === null ? values.findLast((value) => value !== null) : values[pointed];
  const said = (line: Line) => {
    const value = shownValue(line);
    return value == null ? "no value" : format(value);
  };
  return html`<figure class="series" aria-label=${`${title}: ${lines.map((line) => `${line.name} ${said(line)}`).join(", ")}`}>
    <figcaption>
      <span>${title} ${at !== undefined && html`<small>${full(at * 1_000)}</small>`}</span>
      <span class="legend">${lines.map((line) => html`<span key=${line.name}><i class=${`swatch ${line.tone} ${line.isDashed ? "dashed" : ""}`}></i> ${line.name} <b>${said(line)}</b></span>`)}</span>
    </figcaption>
    <div ref=${box} class="plot" style=${{ minHeight: `${height}px` }}></div>
  </figure>`;
}
