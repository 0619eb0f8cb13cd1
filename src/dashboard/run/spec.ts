// Shows the submitted spec of a run: code, image, command, files. The service has hidden the secrets.
import type { Run, SubmittedSpec } from "../../client/client.ts";
import { api } from "../api.ts";
import { DASH, duration } from "../format.ts";
import { h, html } from "../html.ts";
import { useLoad } from "../load.ts";
import { CopyButton } from "../view/copy.ts";
import { type Fact, Facts } from "../view/parts.ts";
import { shown } from "../view/state.ts";

export function Spec({ run }: { run: Run }) {
  const [loaded, reload] = useLoad(`spec ${run.id}`, (signal) => api.spec(run.id, { signal }));
  return shown(loaded, reload, (value) => h(Submitted, { submitted: value }));
}

/** Long texts get a place of their own. */
const texts: [field: string, title: string][] = [
  ["code", "Code"],
  ["compose_file_code", "Compose file"],
  ["requirements_content", "Requirements"],
  ["import_files", "Imported files"],
];

function Submitted({ submitted: { spec, matrix, note } }: { submitted: SubmittedSpec }) {
  const files = Object.entries((spec.files ?? {}) as Record<string, string>);
  const long = new Set(["files", "kind", "name", "timeout", ...texts.map(([field]) => field)]);
  const others = Object.entries(spec).filter(([field]) => !long.has(field));
  const blocks = [
    ...texts.map(([field, title]): [string, unknown] => [title, (spec as Record<string, unknown>)[field]]),
    ...files,
  ].filter((block): block is [string, string] => typeof block[1] === "string" && block[1] !== "");
  const facts: (Fact | null | false)[] = [
    { name: "Kind", value: spec.kind.replaceAll("_", " ") },
    { name: "Timeout", value: duration(spec.timeout * 1_000) },
    ...Object.entries(matrix ?? {}).map(([name, value]) => ({ name, value })),
    ...others.map(([name, value]) => ({ name: name.replaceAll("_", " "), value: said(value) })),
  ];
  return html`<div class="stack">
    ${note && html`<p class="notice">${note}</p>`}
    ${h(Facts, { facts })}
    ${blocks.map(
      ([
        title,
        text,
      ]) => html`<section class="panel" key=${title}><header><h2>${title}</h2>${h(CopyButton, { text })}</header>
        <pre class="terminal" tabindex="0" aria-label=${title}>${text}</pre></section>`,
    )}
  </div>`;
}

function said(value: unknown) {
  if (value === null || value === "") return DASH;
  if (Array.isArray(value)) return html`<code>${value.join(" ")}</code>`;
  if (typeof value === "object")
    return html`<code>${Object.entries(value)
      .map(([name, one]) => `${name}=${typeof one === "string" ? one : JSON.stringify(one)}`)
      .join(" ")}</code>`;
  return String(value);
}
