// Callbacks arrive below PUBLIC_URL's path or without it, and a proxy may have repeated slashes.

/** The path of PUBLIC_URL without a slash at its end; empty for the root. */
export function publicPathOf(publicUrl: string | null): string {
  return publicUrl === null ? "" : collapse(new URL(publicUrl).pathname).replace(/\/$/, "");
}

/** The path and query as the routes know them; what is no callback's stays as it is. */
export type Relocate = (url: string) => string;

export function callbackRelocation(publicPath: string): Relocate {
  return (url) => {
    if (!url.includes(CALLBACKS) || (PLAIN.test(url) && !url.includes("//"))) return url;
    const query = url.indexOf("?");
    const [path, rest] = query === -1 ? [url, ""] : [url.slice(0, query), url.slice(query)];
    const plain = collapse(path);
    const own = plain.startsWith(`${publicPath}/`) ? plain.slice(publicPath.length) : plain;
    return PLAIN.test(own) ? own + rest : url;
  };
}

/** True for what looks like a callback at an address that is not ours. */
export function isStrayCallback(path: string): boolean {
  return /\/callbacks\/lyceum\/exe_[0-9a-z]/.test(collapse(path));
}

const CALLBACKS = "callbacks/";
const PLAIN = /^\/callbacks\/lyceum\/[^/]/;

function collapse(path: string): string {
  return path.replace(/\/{2,}/g, "/");
}
