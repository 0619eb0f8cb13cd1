// Light, dark, or as the system has it.
import { effect, signal } from "@preact/signals";

const themes = ["auto", "light", "dark"] as const;
type Theme = (typeof themes)[number];

const NAME = "proctor-theme";

export const theme = signal<Theme>(themes.find((one) => one === localStorage.getItem(NAME)) ?? "auto");

effect(() => {
  document.documentElement.dataset.theme = theme.value;
  localStorage.setItem(NAME, theme.value);
});

export function nextTheme(): void {
  theme.value = themes[(themes.indexOf(theme.value) + 1) % themes.length] ?? "auto";
}

export function colour(name: string): string {
  // `light-dark()` is resolved where a property uses it, not where a custom one holds it.
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}

const probe = document.createElement("i");
probe.hidden = true;
document.body.append(probe);
