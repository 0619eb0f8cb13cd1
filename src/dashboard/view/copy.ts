// Puts a text on the clipboard, and says so.
import { useState } from "preact/hooks";
import { h, html } from "../html.ts";

export function CopyButton({
  text,
  label = "Copy",
  title,
}: {
  text: string;
  label?: string;
  title?: string;
}) {
  const [state, setState] = useState<"idle" | "done" | "failed">("idle");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setState("done");
    } catch {
      // Browsers refuse it on plain HTTP away from this machine.
      setState("failed");
    }
    setTimeout(() => setState("idle"), 1_500);
  };
  const says = { idle: label, done: "Copied", failed: "Select and copy by hand" }[state];
  return html`<button type="button" class="small" onClick=${copy} title=${title} aria-live="polite">${says}</button>`;
}

export function Snippet({ text }: { text: string }) {
  return html`<div class="snippet"><pre tabindex="0">${text}</pre>${h(CopyButton, { text })}</div>`;
}

export function Id({ id }: { id: string }) {
  return html`<span class="id"><code>${id}</code>${h(CopyButton, { text: id, title: `Copy ${id}` })}</span>`;
}
