// The time as the page shows it: one tick for everything that says "ago".
import { signal } from "@preact/signals";

export const now = signal(Date.now());

const TICK_MS = 1_000;
setInterval(() => {
  // A page that nobody looks at does nothing.
  if (!document.hidden) now.value = Date.now();
}, TICK_MS);
document.addEventListener("visibilitychange", () => {
  now.value = Date.now();
});
