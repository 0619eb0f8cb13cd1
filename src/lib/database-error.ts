// Errors of a database that is unavailable for a while, or must not be used at all.

export class DatabaseUnavailable extends Error {
  override name = "DatabaseUnavailable";
  /** `busy`: another process is writing; `full`: no space is left. */
  readonly type: "away" | "busy" | "full";

  constructor(type: DatabaseUnavailable["type"], message: string, cause?: unknown) {
    super(message, { cause });
    this.type = type;
  }
}

export class DatabaseRefused extends Error {
  override name = "DatabaseRefused";
  /** sysexits.h: EX_TEMPFAIL if another process has the database, EX_CONFIG if only the operator can help. */
  readonly exitCode: 75 | 78;

  constructor(exitCode: DatabaseRefused["exitCode"], message: string, cause?: unknown) {
    super(message, { cause });
    this.exitCode = exitCode;
  }
}
