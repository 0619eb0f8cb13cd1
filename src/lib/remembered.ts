/** Keeps an answer for `forMs`, because it costs more than its freshness is worth; concurrent callers share it. */
export function remembered<T>(read: () => Promise<T>, now: () => number, forMs: number): () => Promise<T> {
  let kept: { at: number; reading: Promise<T> } | null = null;
  return () => {
    const at = now();
    // A clock that was set back must not keep an answer for long.
    if (kept !== null && Math.abs(at - kept.at) < forMs) return kept.reading;
    const reading = read();
    kept = { at, reading };
    reading.catch(() => {
      if (kept?.reading === reading) kept = null;
    });
    return reading;
  };
}
