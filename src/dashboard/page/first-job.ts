// An empty Proctor shows a first job to copy.
import { useState } from "preact/hooks";
import { h, html } from "../html.ts";
import { firstJob } from "../snippets.ts";
import { Snippet } from "../view/copy.ts";
import { Chips } from "../view/parts.ts";

export function FirstJob() {
  const [way, setWay] = useState("curl");
  const options = Object.keys(firstJob).map((value) => ({ value, label: value }));
  return html`<div class="blank start">
    <h2>No job yet</h2>
    <p>Hand in a first one; it shows up here as soon as it is taken.</p>
    ${h(Chips, { label: "Language", value: way, options, onChange: setWay })}
    ${h(Snippet, { text: firstJob[way] ?? "" })}
  </div>`;
}
