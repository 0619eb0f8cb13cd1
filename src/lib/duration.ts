// Lengths of time in settings and queries: 500ms, 30s, 5m, 2h, 7d.

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const pattern = /^(\d+)(ms|s|m|h|d)$/;

export function parseDuration(text: string): number | null {
  const [, amount, unit] = pattern.exec(text) ?? [];
  if (amount === undefined || unit === undefined) return null;
  const durationMs = Number(amount) * unitMs[unit as keyof typeof unitMs];
  return Number.isSafeInteger(durationMs) ? durationMs : null;
}

export function formatDuration(durationMs: number): string {
  const units = Object.entries(unitMs).toReversed();
  const [unit, ms] = units.find(([, ms]) => durationMs >= ms && durationMs % ms === 0) ?? ["ms", 1];
  return `${durationMs / ms}${unit}`;
}
