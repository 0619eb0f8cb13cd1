// Every run of a job as one cell, coloured and marked by status: ten thousand are drawn in one pass.
import { useRef, useState } from "preact/hooks";
import type { ResultRow } from "../../client/client.ts";
import { credits, duration } from "../format.ts";
import { h, html } from "../html.ts";
import { nameOf } from "../job/results.ts";
import { go } from "../router.ts";
import { lookOf, Mark, runStatuses } from "../view/status.ts";
import { colour } from "../view/theme.ts";
import { useCanvas } from "./canvas.ts";

const MAX_CELL = 26;
const MIN_CELL = 6;
const WANTED_HEIGHT = 420;
const MARKED_FROM = 8;

function cellSize(width: number, count: number): number {
  return Math.max(
    MIN_CELL,
    Math.min(MAX_CELL, Math.floor(Math.sqrt((width * WANTED_HEIGHT) / Math.max(count, 1)))),
  );
}

export function RunGrid({ rows }: { rows: ResultRow[] }) {
  const [chosen, setChosen] = useState<number | null>(null);
  const geometry = useRef({ size: MAX_CELL, columns: 1 });
  const layout = (width: number) => {
    const size = cellSize(width, rows.length);
    geometry.current = { size, columns: Math.max(1, Math.floor(width / size)) };
    return geometry.current;
  };
  const { canvas } = useCanvas(
    (width) => {
      const { size, columns } = layout(width);
      return Math.max(size, Math.ceil(rows.length / columns) * size);
    },
    (context, width) => paint(context, rows, layout(width), chosen),
  );

  const at = (event: MouseEvent): number | null => {
    const { size, columns } = geometry.current;
    const column = Math.floor(event.offsetX / size);
    const index = Math.floor(event.offsetY / size) * columns + column;
    return column < columns && index < rows.length ? index : null;
  };
  const move = (event: KeyboardEvent) => {
    const { columns } = geometry.current;
    const steps: Record<string, number> = {
      ArrowRight: 1,
      ArrowLeft: -1,
      ArrowDown: columns,
      ArrowUp: -columns,
    };
    const step = steps[event.key];
    if (event.key === "Enter") open(chosen);
    if (step === undefined) return;
    event.preventDefault();
    setChosen(Math.max(0, Math.min(rows.length - 1, (chosen ?? -step) + step)));
  };
  const open = (index: number | null) => {
    const row = index === null ? undefined : rows[index];
    if (row !== undefined) go(`#/runs/${row.run_id}`);
  };
  const row = chosen === null ? undefined : rows[chosen];
  return html`<div class="grid">
    <div class="canvasbox"><canvas ref=${canvas} tabindex="0" role="application" aria-label=${`${rows.length} runs; arrow keys choose one, Enter opens it`}
      onMouseMove=${(event: MouseEvent) => setChosen(at(event))} onMouseLeave=${() => setChosen(null)}
      onClick=${(event: MouseEvent) => open(at(event))} onKeyDown=${move}></canvas></div>
    <p class="says" aria-live="polite">${row === undefined ? h(Legend, {}) : h(Says, { row })}</p>
  </div>`;
}

function Says({ row }: { row: ResultRow }) {
  const more = [
    duration(row.duration_ms),
    row.cost === null ? null : `${credits(row.cost)} credits`,
    row.return_code === null ? null : `exit ${row.return_code}`,
    (row.error_reason ?? row.error_code)?.replaceAll("_", " "),
  ].filter(Boolean);
  return html`<span>${h(Mark, { status: row.status })} <b>${nameOf(row)}</b> ${row.status} · ${more.join(" · ")}</span>`;
}

function Legend() {
  return html`<span class="legend">${runStatuses.map((status) => html`<span key=${status}>${h(Mark, { status })} ${status}</span>`)}</span>`;
}

function paint(
  context: CanvasRenderingContext2D,
  rows: ResultRow[],
  { size, columns }: { size: number; columns: number },
  chosen: number | null,
): void {
  const gap = size >= 12 ? 2 : 1;
  const side = size - gap;
  const surface = colour("surface");
  const colours = new Map(runStatuses.map((status) => [status, colour(lookOf(status).tone)]));
  context.lineWidth = Math.max(1, side / 8);
  rows.forEach(({ status }, index) => {
    const x = (index % columns) * size;
    const y = Math.floor(index / columns) * size;
    context.fillStyle = colours.get(status) ?? surface;
    context.fillRect(x, y, side, side);
    if (size >= MARKED_FROM) mark(context, status, x, y, side, surface);
  });
  if (chosen === null) return;
  context.strokeStyle = colour("text");
  context.lineWidth = 2;
  context.strokeRect((chosen % columns) * size, Math.floor(chosen / columns) * size, side, side);
}

/** A shape for each status that is not a success. */
function mark(
  context: CanvasRenderingContext2D,
  status: string,
  x: number,
  y: number,
  side: number,
  surface: string,
): void {
  const inner = Math.max(2, side * 0.3);
  context.fillStyle = surface;
  context.strokeStyle = surface;
  if (status === "queued") context.fillRect(x + 1, y + 1, side - 2, side - 2);
  else if (status === "active")
    context.fillRect(x + (side - inner) / 2, y + (side - inner) / 2, inner, inner);
  else if (status === "collecting") context.fillRect(x + side / 2, y + 1, side / 2 - 1, side / 2 - 1);
  else if (status === "cancelled") context.fillRect(x + 2, y + side / 2 - 1, side - 4, 2);
  else if (status === "failed") {
    context.beginPath();
    context.moveTo(x + 2, y + 2);
    context.lineTo(x + side - 2, y + side - 2);
    context.moveTo(x + side - 2, y + 2);
    context.lineTo(x + 2, y + side - 2);
    context.stroke();
  }
}
