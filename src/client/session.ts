// The session of Proctor's own page in a browser: the service keeps it in a cookie that no script can read.
import type { Transport } from "./transport.ts";

export function sessionCalls({ none }: Transport) {
  return {
    start: (key: string) => none({ method: "POST", path: "/session", body: { key }, repeatable: false }),
    end: () => none({ method: "DELETE", path: "/session" }),
  };
}
