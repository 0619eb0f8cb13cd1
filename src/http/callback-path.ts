// Normalizes callback paths: with or without the path of PUBLIC_URL, and with slashes repeated by a proxy.

export function publicPathOf(publicUrl: string | null): string {
  return publicUrl === null ? "" : collapse(new URL(publicUrl).pathname).replace(/\/$/, "");
}

/** Other paths stay unchanged. */
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

export function isStrayCallback(path: string): boolean {
  return /\/callbacks\/lyceum\/exe_[0-9a-z]/.test(collapse(path));
}

const CALLBACKS = "callbacks/";
const PLAIN = /^\/callbacks\/lyceum\/[^/]/;

function collapse(path: string): string {
  return path.replace(/\/{2,}/g, "/");
}
