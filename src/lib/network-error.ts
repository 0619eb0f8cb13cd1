// What a request that came to nothing leaves to know.

/** Certain that no byte was sent. */
export class NotSentError extends Error {
  override name = "Unsent";

  constructor(cause: unknown) {
    super("nothing was sent", { cause });
  }
}

/** A start that may have arrived must never be taken for one that did not. */
export function isNeverSent(error: unknown): boolean {
  return error instanceof NotSentError;
}

/** The code of a failure: messages are left out, they may quote what was sent. */
export function failureName(error: unknown): string {
  if (!(error instanceof Error)) return "unknown failure";
  const first = error instanceof AggregateError ? error.errors[0] : undefined;
  const { code } = error as NodeJS.ErrnoException;
  if (typeof code === "string") return code;
  if (first ?? error.cause) return failureName(first ?? error.cause);
  return error.name;
}
