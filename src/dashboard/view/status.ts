// Statuses as a glyph, a word and a colour: no colour stands alone.
import { html } from "../html.ts";

export type Tone = "good" | "bad" | "busy" | "late" | "idle" | "off" | "warn";

interface Look {
  tone: Tone;
  glyph: string;
}

const looks: Record<string, Look> = {
  queued: { tone: "idle", glyph: "○" },
  pending: { tone: "idle", glyph: "○" },
  submitting: { tone: "late", glyph: "↗" },
  starting: { tone: "late", glyph: "◔" },
  active: { tone: "busy", glyph: "◐" },
  running: { tone: "busy", glyph: "◐" },
  collecting: { tone: "late", glyph: "◕" },
  succeeded: { tone: "good", glyph: "✓" },
  completed: { tone: "good", glyph: "✓" },
  delivered: { tone: "good", glyph: "✓" },
  ok: { tone: "good", glyph: "✓" },
  failed: { tone: "bad", glyph: "✕" },
  system_failure: { tone: "bad", glyph: "✕" },
  rejected: { tone: "bad", glyph: "✕" },
  failing: { tone: "warn", glyph: "!" },
  lost: { tone: "warn", glyph: "?" },
  cancelled: { tone: "off", glyph: "⊘" },
  aborted: { tone: "off", glyph: "⊘" },
  disabled: { tone: "off", glyph: "⊘" },
};

export const runStatuses = ["queued", "active", "collecting", "succeeded", "failed", "cancelled"] as const;

export function lookOf(status: string): Look {
  return looks[status] ?? { tone: "idle", glyph: "·" };
}

export function Badge({ status, label }: { status: string; label?: string }) {
  const { tone, glyph } = lookOf(status);
  return html`<span class=${`badge ${tone}`}><i aria-hidden="true">${glyph}</i>${label ?? status.replaceAll("_", " ")}</span>`;
}

export function Mark({ status }: { status: string }) {
  const { tone, glyph } = lookOf(status);
  return html`<span class=${`mark ${tone}`} title=${status} role="img" aria-label=${status}>${glyph}</span>`;
}

export function StatusBar({ counts }: { counts: Record<string, number> }) {
  const total = Object.values(counts).reduce((sum, one) => sum + one, 0);
  const text = runStatuses
    .filter((status) => (counts[status] ?? 0) > 0)
    .map((status) => `${counts[status]} ${status}`)
    .join(", ");
  const order = ["succeeded", "failed", "cancelled", "collecting", "active", "queued"];
  return html`<span class="statusbar" role="img" aria-label=${text} title=${text}>
    ${order.map((status) => {
      const share = total === 0 ? 0 : (counts[status] ?? 0) / total;
      return share === 0
        ? null
        : html`<span key=${status} class=${`fill ${lookOf(status).tone}`} style=${{ width: `${share * 100}%` }}></span>`;
    })}
  </span>`;
}
