// The route of the page is the part of the URL behind `#`: no server sees it, so it works below any prefix.
import { computed, signal } from "@preact/signals";

export interface Place {
  /** Such as `["jobs", "job_…"]`. */
  path: string[];
  query: URLSearchParams;
}

const hash = signal(location.hash);
addEventListener("hashchange", () => {
  hash.value = location.hash;
});

export const place = computed((): Place => {
  const [path = "", query = ""] = hash.value.replace(/^#\/?/, "").split("?", 2);
  return { path: path.split("/").filter(Boolean).map(decode), query: new URLSearchParams(query) };
});

export function href(path: string, query: Record<string, string | null | undefined> = {}): string {
  const given = Object.entries(query).filter((one): one is [string, string] => Boolean(one[1]));
  const text = new URLSearchParams(given).toString();
  return `#/${path}${text === "" ? "" : `?${text}`}`;
}

export function go(to: string): void {
  location.hash = to;
}

/** Changes filters in place: they are part of the address, but not each a step of the history. */
export function setQuery(changes: Record<string, string | null>): void {
  const { path, query } = place.peek();
  const next = { ...Object.fromEntries(query), ...changes };
  replace(href(path.map(encodeURIComponent).join("/"), next));
}

export function replace(to: string): void {
  history.replaceState(null, "", to);
  hash.value = to;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
