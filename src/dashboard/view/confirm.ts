// A button whose deed cannot be undone asks once more, in its own place.
import { useState } from "preact/hooks";
import { explain } from "../api.ts";
import { html } from "../html.ts";

interface DeedProps {
  label: string;
  /** Left out: no confirmation. */
  question?: string;
  tone?: "danger" | "plain";
  act: () => Promise<unknown>;
  onDone?: () => void;
}

export function Deed({ label, question, tone = "plain", act, onDone }: DeedProps) {
  const [state, setState] = useState<"idle" | "asking" | "busy">("idle");
  const [problem, setProblem] = useState<string | null>(null);
  const run = async () => {
    setState("busy");
    setProblem(null);
    try {
      await act();
      onDone?.();
    } catch (error) {
      setProblem(explain(error).detail);
    }
    setState("idle");
  };
  const wrong = problem && html`<span class="problem" role="alert">${problem}</span>`;
  if (state === "asking")
    return html`<span class="asking" role="group" aria-label=${question}>
      <span>${question}</span>
      <button type="button" class=${tone} ref=${focus} onClick=${run}>${label}</button>
      <button type="button" onClick=${() => setState("idle")}>Keep</button>
    </span>`;
  const start = question === undefined ? run : () => setState("asking");
  return html`<span class="deed">
    <button type="button" class=${tone} disabled=${state === "busy"} onClick=${start}>${state === "busy" ? "…" : label}</button>
    ${wrong}
  </span>`;
}

function focus(element: HTMLButtonElement | null): void {
  element?.focus();
}
