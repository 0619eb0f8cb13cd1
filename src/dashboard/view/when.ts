// A moment as "4 min ago", with the full time behind it.
import { now } from "../clock.ts";
import { DASH, duration, full, rough } from "../format.ts";
import { html } from "../html.ts";

export function When({ at }: { at: string | null | undefined }) {
  if (at == null) return html`<span class="faint">${DASH}</span>`;
  const ms = now.value - Date.parse(at);
  const text = Math.abs(ms) < 2_000 ? "now" : ms >= 0 ? `${rough(ms)} ago` : `in ${rough(-ms)}`;
  return html`<time dateTime=${at} title=${full(at)}>${text}</time>`;
}

export function Lasting({ from, to }: { from: string | null; to: string | null }) {
  if (from === null) return html`<span class="faint">${DASH}</span>`;
  const end = to === null ? now.value : Date.parse(to);
  return html`<span>${duration(Math.max(0, end - Date.parse(from)))}</span>`;
}
