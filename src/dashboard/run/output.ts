// Shows the printed output and the result of a run.
import type { Run } from "../../client/client.ts";
import { api } from "../api.ts";
import { h, html } from "../html.ts";
import { useLoad } from "../load.ts";
import { piecesOf } from "../log/ansi.ts";
import { CopyButton } from "../view/copy.ts";
import { empty, shown } from "../view/state.ts";
import { notYet } from "./artifact.ts";

/** Long texts are shown by their end: the whole is in the download of the log. */
const MAX_CHARACTERS = 200_000;

export function Output({ run }: { run: Run }) {
  const missing = notYet(run, "record");
  return missing ?? h(Printed, { run });
}

function Printed({ run }: { run: Run }) {
  const [output, reload] = useLoad(`output ${run.id} ${run.status}`, (signal) =>
    api.output(run.id, { signal }),
  );
  return shown(output, reload, (value) => {
    const texts: [string, string | null][] = [
      ["Standard output", value.stdout],
      ["Standard error", value.stderr],
      ["Errors", value.errors],
      ["Warnings", value.warnings],
      ["Result", value.result == null ? null : JSON.stringify(value.result, null, 2)],
      ["Installation", value.install_log],
      ["Status details", value.status_details],
    ];
    const said = texts.filter((one): one is [string, string] => Boolean(one[1]));
    if (said.length === 0)
      return empty("It printed nothing", `It ended with the exit code ${value.return_code ?? "unknown"}.`);
    return html`<div class="stack">${said.map(
      ([
        name,
        text,
      ]) => html`<section class="panel" key=${name}><header><h2>${name}</h2>${h(CopyButton, { text })}</header>
        <pre class="terminal" tabindex="0" aria-label=${name}>${text
          .slice(-MAX_CHARACTERS)
          .split("\n")
          .map((line) => [
            ...piecesOf(line).map((piece) =>
              piece.style === "" ? piece.text : html`<span class=${piece.style}>${piece.text}</span>`,
            ),
            "\n",
          ])}</pre></section>`,
    )}</div>`;
  });
}
