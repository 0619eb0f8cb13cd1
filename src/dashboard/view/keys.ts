// The keyboard: `/` searches, `j` and `k` walk the rows, `g` and a letter goes to a page, `?` shows all of it.
import { signal } from "@preact/signals";
import { go } from "../router.ts";

export const pages: Record<string, { to: string; title: string }> = {
  o: { to: "#/", title: "Overview" },
  j: { to: "#/jobs", title: "Jobs" },
  r: { to: "#/runs", title: "Runs" },
  c: { to: "#/callbacks", title: "Callbacks" },
  w: { to: "#/webhooks", title: "Webhooks" },
  u: { to: "#/usage", title: "Usage" },
  s: { to: "#/system", title: "System" },
};

export const isHelpOpen = signal(false);

export function listenToKeys(): () => void {
  let isGoing = false;
  const onKey = (event: KeyboardEvent) => {
    const target = event.target as HTMLElement | null;
    if (event.key === "Escape") {
      isHelpOpen.value = false;
      if (target?.matches("input")) target.blur();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || target?.matches("input, select, textarea")) return;
    const was = isGoing;
    isGoing = false;
    const page = was ? pages[event.key] : undefined;
    if (page !== undefined) go(page.to);
    else if (event.key === "g") isGoing = true;
    else if (event.key === "/") search(event);
    else if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
    else if (event.key === "?") isHelpOpen.value = !isHelpOpen.value;
  };
  document.addEventListener("keydown", onKey);
  return () => document.removeEventListener("keydown", onKey);
}

function search(event: KeyboardEvent): void {
  const field = document.querySelector<HTMLInputElement>("main input[type=search]");
  if (field === null) return;
  event.preventDefault();
  field.focus();
}

function step(by: number): void {
  const rows = [...document.querySelectorAll<HTMLElement>("main a[data-row]")];
  const at = rows.indexOf(document.activeElement as HTMLElement);
  const next =
    rows[at === -1 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + by))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}
