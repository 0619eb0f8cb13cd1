// A large heat map, drawn in one pass; what is under the pointer is said below.
import { useState } from "preact/hooks";
import { useCanvas } from "../chart/canvas.ts";
import { between, css, readRgb } from "../chart/colours.ts";
import { html } from "../html.ts";
import { go } from "../router.ts";
import { colour } from "../view/theme.ts";
import type { HeatProps } from "./heat-table.ts";
import type { Cell } from "./pivot.ts";

const HEIGHT = 420;

export function HeatMap({ table, x, y, format }: HeatProps) {
  const [chosen, setChosen] = useState<Cell | null>(null);
  const { xs, ys, cells, least, most, best } = table;
  const rowHeight = Math.max(3, Math.min(24, Math.floor(HEIGHT / ys.length)));
  const { canvas, width } = useCanvas(
    () => rowHeight * ys.length,
    (context, wide) => {
      const [low, high] = [readRgb(colour("heat-low")), readRgb(colour("heat-high"))];
      const nothing = colour("raised");
      const cellWidth = wide / xs.length;
      cells.forEach((row, atY) => {
        row.forEach((cell, atX) => {
          const share = cell.value === null || most === least ? 0.5 : (cell.value - least) / (most - least);
          context.fillStyle = cell.value === null ? nothing : css(between(low, high, share));
          context.fillRect(
            atX * cellWidth,
            atY * rowHeight,
            cellWidth - (cellWidth > 4 ? 1 : 0),
            rowHeight - (rowHeight > 4 ? 1 : 0),
          );
          if (cell !== best && cell !== chosen) return;
          context.strokeStyle = colour("text");
          context.lineWidth = 2;
          context.strokeRect(atX * cellWidth, atY * rowHeight, cellWidth, rowHeight);
        });
      });
    },
  );
  const at = (event: MouseEvent): Cell | null =>
    cells[Math.floor(event.offsetY / rowHeight)]?.[Math.floor((event.offsetX / width) * xs.length)] ?? null;
  const open = (event: MouseEvent) => {
    const run = at(event)?.rows[0];
    if (run !== undefined) go(`#/runs/${run.run_id}`);
  };
  const says = chosen ?? best;
  return html`<div class="grid">
    <div class="canvasbox"><canvas ref=${canvas} role="img" aria-label=${`${xs.length} values of ${x} across, ${ys.length} of ${y} down; the table of runs has every figure`}
      onMouseMove=${(event: MouseEvent) => setChosen(at(event))} onMouseLeave=${() => setChosen(null)} onClick=${open}></canvas></div>
    <p class="says">${says && html`<span>${x}=${says.x} ${y}=${says.y}: <b>${says.value === null ? "no value" : format(says.value)}</b></span>`}</p>
  </div>`;
}
