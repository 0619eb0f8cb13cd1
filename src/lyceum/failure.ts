// What a failed fetch means: whether it is certain that nothing reached Lyceum. A start that may have arrived must
// never be taken for one that did not, so only causes that precede the first byte count.

/** Codes that only arise before a request is written, whoever reports them. */
const beforeConnection = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EAI_FAIL",
  "EAI_NODATA",
  "UND_ERR_CONNECT_TIMEOUT",
  "EADDRNOTAVAIL",
  "ERR_INVALID_URL",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "HOSTNAME_MISMATCH",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "ERR_TLS_CERT_ALTNAME_FORMAT",
  "ERR_TLS_HANDSHAKE_TIMEOUT",
  "ERR_SSL_WRONG_VERSION_NUMBER",
  // Of wire.ts.
  "ERR_SSL_HANDSHAKE",
  "ERR_CONNECT_TIMEOUT",
  "ERR_SSL_UNSUPPORTED_PROTOCOL",
  "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE",
  "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION",
  "ERR_SSL_TLSV1_UNRECOGNIZED_NAME",
]);

/** Codes that can also hit an open connection; they prove something only when connecting failed with them. */
const duringConnection = new Set(["EHOSTUNREACH", "ENETUNREACH", "ENETDOWN", "EHOSTDOWN", "ETIMEDOUT"]);

export function isNeverSent(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.every(isNeverSent);
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined) return isNeverSent(error.cause);
  if (beforeConnection.has(code) || /^(CERT_|UNABLE_TO_)/.test(code)) return true;
  return (
    duringConnection.has(code) && (syscall === "connect" || (syscall === undefined && code !== "ETIMEDOUT"))
  );
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
