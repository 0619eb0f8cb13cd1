// Lanes over time: the phases of executions as bars on one axis.
import { ticksOf } from "../chart/axis.ts";
import { duration } from "../format.ts";
import { html } from "../html.ts";
import { type PhaseName, phaseTexts, type Span } from "../run/phases.ts";

const TICKS = 8;

export function Bars({ spans, from, to }: { spans: Span[]; from: number; to: number }) {
  const percent = (at: number) => ((at - from) / (to - from)) * 100;
  const text = spans
    .map((span) => `attempt ${span.attempt} ${span.phase} ${duration(span.to - span.from)}`)
    .join(", ");
  return html`<span class="bars" role="img" aria-label=${text}>
    ${spans.map(
      (
        span,
        index,
      ) => html`<i key=${index} class=${`span ${span.phase} ${span.isOpen ? "open" : ""}`} title=${`attempt ${span.attempt}: ${phaseTexts[span.phase]}, ${duration(span.to - span.from)}`}
        style=${{ left: `${percent(span.from)}%`, width: `${Math.max(0.15, percent(span.to) - percent(span.from))}%` }}></i>`,
    )}
  </span>`;
}

export function Axis({ spanMs }: { spanMs: number }) {
  return html`<span class="ticks">${ticksOf(spanMs, TICKS).map((ms) => html`<i key=${ms} style=${{ left: `${(ms / spanMs) * 100}%` }}>${ms === 0 ? "0" : duration(ms)}</i>`)}</span>`;
}

export function PhaseLegend() {
  const phases = Object.keys(phaseTexts) as PhaseName[];
  return html`<span class="legend">${phases.map((phase) => html`<span key=${phase}><i class=${`swatch span ${phase}`}></i> ${phase}</span>`)}</span>`;
}
