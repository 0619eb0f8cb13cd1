// Errors of requests without an answer.

export class NotSentError extends Error {
  override name = "NotSentError";

  constructor(cause: unknown) {
    super("nothing was sent", { cause });
  }
}

/** False if in doubt: a start that may have arrived must never be sent again. */
export function isNotSent(error: unknown): boolean {
  return error instanceof NotSentError;
}

/** The code of a failure. Messages are left out: they may quote the request. */
export function failureName(error: unknown): string {
  if (!(error instanceof Error)) return "unknown failure";
  const first = error instanceof AggregateError ? error.errors[0] : undefined;
  const { code } = error as NodeJS.ErrnoException;
  if (typeof code === "string") return code;
  if (first ?? error.cause) return failureName(first ?? error.cause);
  return error.name;
}
