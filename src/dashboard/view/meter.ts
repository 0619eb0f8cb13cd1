// The used part of a limit, as a bar with its figures beside it.
import { html } from "../html.ts";

/** From here on a bar warns. */
const NEARLY = 0.8;

interface MeterProps {
  used: number;
  limit: number;
  /** For those who hear the page, such as `budget of alice`. */
  label: string;
  format: (value: number) => string;
}

export function Meter({ used, limit, label, format }: MeterProps) {
  const share = limit === 0 ? 1 : Math.min(1, used / limit);
  const tone = share >= 1 ? "bad" : share >= NEARLY ? "warn" : "busy";
  const text = `${format(used)} of ${format(limit)}`;
  return html`<span class="progress"><span class="statusbar wide" role="img" aria-label=${`${label}: ${text}`}>
    <span class=${`fill ${tone}`} style=${{ width: `${share * 100}%` }}></span>
  </span><span>${text}</span></span>`;
}
