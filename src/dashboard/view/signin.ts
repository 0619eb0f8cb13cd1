// The way in: an API key, which the page gives to the service once and keeps nowhere.
import { useState } from "preact/hooks";
import { html } from "../html.ts";
import { signIn } from "../session.ts";

export function SignIn({ reason }: { reason: string | null }) {
  const [key, setKey] = useState("");
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    await signIn(key);
    setBusy(false);
    setKey("");
  };
  const type = (event: Event) => setKey((event.currentTarget as HTMLInputElement).value);
  return html`<main class="signin">
    <h1>Proctor</h1>
    <p>Runs on Lyceum Cloud, each taken to its end.</p>
    <form onSubmit=${submit}>
      <label for="key">API key</label>
      <input id="key" type="password" autocomplete="current-password" required minlength="32" value=${key} onInput=${type} aria-describedby="hint" />
      <button type="submit" class="primary" disabled=${isBusy}>${isBusy ? "Signing in…" : "Sign in"}</button>
      ${reason && html`<p class="problem" role="alert">${reason}</p>`}
      ${isSecureContext ? null : html`<p class="notice warn">This page came over plain HTTP: the browser will not keep the session. Open it over HTTPS, or on the machine itself.</p>`}
      <p id="hint" class="faint">One of the service's <code>API_KEYS</code>. Its role decides what this page offers. The session ends after 12 hours.</p>
    </form>
    <p class="faint"><a href="docs">API reference</a></p>
  </main>`;
}
