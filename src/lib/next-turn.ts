// Long work gives the event loop a turn back: other requests and timers go first.

/** SQLite and parsers answer within the current turn, so only this lets other work in between. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
