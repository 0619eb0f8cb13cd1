// The pause of all starts: after a start without a proper answer, all others wait until a probe has one.

export const pauseReasons = [
  "unreachable",
  "unavailable",
  "unauthorized",
  "unfunded",
  "unknown",
  "restarted",
] as const;
export type PauseReason = (typeof pauseReasons)[number];

export interface StartPause {
  reason: PauseReason;
  /** A sentence, with the message of Lyceum or the transport. */
  detail: string;
  since: number;
  failures: number;
  probeAt: number;
}

const sentences: Record<PauseReason, string> = {
  unreachable: "Lyceum takes no starts: it cannot be reached, or another server answers in its place",
  unavailable: "Lyceum is unavailable",
  unauthorized: "Lyceum refuses the credentials",
  unfunded: "Lyceum says that credits or quota are used up",
  unknown: "Lyceum gives no clear answer to starts",
  restarted: "starts were under way when the service last ended, so the first one goes alone",
};

export function pauseDetail(reason: PauseReason, said: string | null): string {
  const sentence = sentences[reason];
  return said === null ? sentence : `${sentence}: ${said}`.slice(0, MAX_DETAIL);
}

const MAX_DETAIL = 400;
