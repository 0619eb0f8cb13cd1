// Small pieces that pages are made of.
import type { ComponentChildren, VNode } from "preact";
import { html } from "../html.ts";

export interface Tab {
  id: string;
  title: string;
  href: string;
}

export function Tabs({ tabs, current, label }: { tabs: Tab[]; current: string; label: string }) {
  return html`<nav class="tabs" aria-label=${label}>
    ${tabs.map(({ id, title, href }) => html`<a key=${id} href=${href} aria-current=${id === current ? "page" : undefined}>${title}</a>`)}
  </nav>`;
}

export interface Fact {
  name: string;
  value: ComponentChildren;
}

export function Facts({ facts }: { facts: (Fact | null | false)[] }) {
  return html`<dl class="facts">
    ${facts.map((fact) => fact && html`<div key=${fact.name}><dt>${fact.name}</dt><dd>${fact.value}</dd></div>`)}
  </dl>`;
}

export function Panel({
  title,
  aside,
  children,
}: {
  title: string;
  aside?: ComponentChildren;
  children: ComponentChildren;
}) {
  return html`<section class="panel"><header><h2>${title}</h2>${aside}</header>${children}</section>`;
}

interface ChipProps {
  label: string;
  value: string;
  options: { value: string; label: string; count?: number | string | undefined }[];
  onChange: (value: string) => void;
}

/** The chosen chip is pressed. */
export function Chips({ label, value, options, onChange }: ChipProps): VNode {
  return html`<div class="chips" role="group" aria-label=${label}>
    ${options.map(
      (option) =>
        html`<button type="button" key=${option.value} class="chip" aria-pressed=${option.value === value} onClick=${() => onChange(option.value)}>${option.label}${option.count === undefined ? null : html` <b>${option.count}</b>`}</button>`,
    )}
  </div>`;
}

export function Choice({ label, value, options, onChange }: ChipProps): VNode {
  const change = (event: Event) => onChange((event.currentTarget as HTMLSelectElement).value);
  return html`<label class="choice">${label}
    <select value=${value} onChange=${change}>${options.map((one) => html`<option key=${one.value} value=${one.value}>${one.label}</option>`)}</select>
  </label>`;
}

export function title(text: string): void {
  document.title = `${text} · Proctor`;
}
