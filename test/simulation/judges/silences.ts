// When nobody could be asked: Lyceum was away as a whole, or the process was down.

export interface Silences {
  /** Begins when Lyceum or the process falls silent, ends when both can speak again. */
  note(isSilent: boolean): void;
  /** The clock was set: what was measured over this moment proves nothing. */
  cut(): void;
  /** Time within [from, now] in which Lyceum could answer and the process could ask. */
  answeredMs(from: number): { ms: number; gaps: number };
  within(from: number, to: number): Span[];
}

export interface Span {
  from: number;
  to: number;
}

export function createSilences(now: () => number): Silences {
  const silences: Span[] = [];
  let silentFrom: number | null = null;
  const all = () => (silentFrom === null ? silences : [...silences, { from: silentFrom, to: now() }]);
  return {
    note(isSilent) {
      if (isSilent) silentFrom ??= now();
      else if (silentFrom !== null) {
        silences.push({ from: silentFrom, to: now() });
        silentFrom = null;
      }
    },
    cut: () => void silences.push({ from: now(), to: now() }),
    answeredMs(from) {
      const within = all().filter((silence) => silence.to > from);
      const silentMs = within.reduce((sum, silence) => sum + silence.to - Math.max(silence.from, from), 0);
      return { ms: now() - from - silentMs, gaps: within.length };
    },
    within: (from, to) => all().filter((silence) => silence.to > from && silence.from < to),
  };
}
