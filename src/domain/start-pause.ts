// The pause of all starts: after one that Lyceum did not answer properly, the others wait until a probe was.

export const pauseReasons = [
  "unreachable",
  "unavailable",
  "unauthorized",
  "unfunded",
  "unknown",
  "restarted",
] as const;
export type PauseReason = (typeof pauseReasons)[number];

/** Times are epoch milliseconds. */
export interface StartPause {
  reason: PauseReason;
  /** In words, with what Lyceum or the transport said. */
  detail: string;
  since: number;
  /** Probes that were not answered properly. */
  failures: number;
  probeAt: number;
}

const sentences: Record<PauseReason, string> = {
  unreachable: "Lyceum takes no starts: it cannot be reached, or somebody else answers in its place",
  unavailable: "Lyceum is unavailable",
  unauthorized: "Lyceum refuses the credentials",
  unfunded: "Lyceum says that credits or quota are used up",
  unknown: "Lyceum gives no clear answer to starts",
  restarted: "starts were under way when the service last ended, so the first one goes alone",
};

/** The reason in words, with what was said. */
export function pauseDetail(reason: PauseReason, said: string | null): string {
  const sentence = sentences[reason];
  return said === null ? sentence : `${sentence}: ${said}`.slice(0, MAX_DETAIL);
}

const MAX_DETAIL = 400;
