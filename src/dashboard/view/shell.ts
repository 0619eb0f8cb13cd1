// The frame around every page: navigation, the signed-in key, and the state of the live stream.
import { useEffect } from "preact/hooks";
import { now } from "../clock.ts";
import { clock, rough } from "../format.ts";
import { h, html } from "../html.ts";
import { live, startLive } from "../live.ts";
import { Page } from "../pages.ts";
import { place } from "../router.ts";
import { type Session, signOut } from "../session.ts";
import { isHelpOpen, listenToKeys, pages } from "./keys.ts";
import { nextTheme, theme } from "./theme.ts";

export function Shell({ who }: { who: Extract<Session, { type: "in" }> }) {
  useEffect(startLive, []);
  useEffect(listenToKeys, []);
  const [current = ""] = place.value.path;
  return html`<div class="shell">
    <a class="skip" href="#main" onClick=${skip}>Skip to the content</a>
    <header class="bar">
      <a class="brand" href="#/">Proctor</a>
      <nav aria-label="Pages">
        ${Object.values(pages).map(({ to, title }) => html`<a key=${to} href=${to} aria-current=${to.replace(/^#\//, "") === current ? "page" : undefined}>${title}</a>`)}
      </nav>
      <div class="who">
        ${h(LiveMark, {})}
        <span class="name" title=${`Signed in with the key ${who.name}`}>${who.name || "signed in"} <span class="faint">${who.role}</span></span>
        <button type="button" class="small" onClick=${nextTheme} title="Light, dark, or as the system has it" aria-label=${`Colours: ${theme.value}`}>◐ ${theme.value}</button>
        <button type="button" class="small" onClick=${signOut}>Sign out</button>
      </div>
    </header>
    ${h(StaleNotice, {})}
    <main id="main" tabindex="-1">${h(Page, {})}</main>
    ${isHelpOpen.value && h(Help, {})}
  </div>`;
}

function skip(event: Event): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

function LiveMark() {
  const { type } = live.value;
  const says = { connecting: "connecting", live: "live", stale: "not live" }[type];
  return html`<span class=${`live ${type}`} role="status"><i aria-hidden="true"></i>${says}</span>`;
}

function StaleNotice() {
  const state = live.value;
  if (state.type !== "stale") return null;
  const since = `${clock(state.since, now.value)} (${rough(Math.max(1_000, now.value - state.since))})`;
  return html`<p class="stale" role="alert">Not live since ${since}, reconnecting. What you see may be old.</p>`;
}

function Help() {
  const keys: [string, string][] = [
    ["/", "search"],
    ["j k", "next and previous row"],
    ["Enter", "open the row"],
    ...Object.entries(pages).map(([key, { title }]): [string, string] => [`g ${key}`, title]),
    ["?", "this list"],
  ];
  return html`<aside class="help" aria-label="Keyboard"><dl>${keys.map(([key, what]) => html`<div key=${key}><dt><kbd>${key}</kbd></dt><dd>${what}</dd></div>`)}</dl></aside>`;
}
