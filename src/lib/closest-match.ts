// The known word that a misspelled word probably means.

export function closestMatch(word: string, known: string[]): string | null {
  const near = known.filter((other) => other.slice(0, 4) === word.slice(0, 4) && edits(other, word) <= 2);
  return near.sort((a, b) => edits(a, word) - edits(b, word))[0] ?? null;
}

function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(
        (row[j] as number) + 1,
        (next[j - 1] as number) + 1,
        (row[j - 1] as number) + (letter === b[j - 1] ? 0 : 1),
      );
    row = next;
  }
  return row[b.length] as number;
}
