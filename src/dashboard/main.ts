// The operator's page: who is signed in decides between the way in and the pages.
import { render } from "preact";
import { h, html } from "./html.ts";
import { session, startSession } from "./session.ts";
import { Shell } from "./view/shell.ts";
import { SignIn } from "./view/signin.ts";

function App() {
  const state = session.value;
  if (state.type === "starting")
    return html`<div class="loading" role="status"><span class="spinner"></span>Loading…</div>`;
  return state.type === "in" ? h(Shell, { who: state }) : h(SignIn, { reason: state.reason });
}

const root = document.getElementById("app");
if (root !== null) render(h(App, {}), root);
void startSession(document.body.dataset.signedIn === "true");
