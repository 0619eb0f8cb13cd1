// Loading, failed and empty states: each names the way on.
import type { VNode } from "preact";
import { explain, isMissingRoute } from "../api.ts";
import { clock } from "../format.ts";
import { html } from "../html.ts";
import type { Loaded } from "../load.ts";

/** The value once it is loaded, else the state of the request. */
export function shown<T>(loaded: Loaded<T>, reload: () => void, show: (value: T) => VNode): VNode {
  if (loaded.type === "loading")
    return html`<div class="loading" role="status"><span class="spinner"></span>Loading…</div>`;
  if (loaded.type === "failed") return failure(loaded.error, reload);
  if (loaded.problem === null) return show(loaded.value);
  return html`<div class="stack"><p class="notice warn" role="status">Could not be read again: ${explain(loaded.problem).title}. What you see is of ${clock(loaded.readAt, Date.now())}.</p>${show(loaded.value)}</div>`;
}

function failure(error: unknown, reload: () => void): VNode {
  if (isMissingRoute(error)) return unavailable("This Proctor does not offer it yet.");
  const { title, detail, requestId } = explain(error);
  return html`<div class="blank" role="alert">
    <h3>${title}</h3>
    <p>${detail}</p>
    <p><button type="button" onClick=${reload}>Try again</button></p>
    ${requestId && html`<p class="faint">Request <code>${requestId}</code></p>`}
  </div>`;
}

export function unavailable(why: string): VNode {
  return html`<div class="blank"><h3>Not available</h3><p>${why}</p></div>`;
}

export function empty(title: string, more?: VNode | string): VNode {
  return html`<div class="blank"><h3>${title}</h3>${typeof more === "string" ? html`<p>${more}</p>` : more}</div>`;
}
