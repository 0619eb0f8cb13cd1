// The service's log: one JSON object per line. Masking here is the second line of defence against secrets.
import { type DestinationStream, type Logger, pino } from "pino";

export type { Logger } from "pino";

const secretNames = new Set(
  `authorization cookie set-cookie key apikey api_key x-api-key password secret secrets token access_token
  refresh_token callback_url callbackurl user_callback_url docker_username docker_password
  docker_registry_credentials aws_access_key_id aws_secret_access_key aws_session_token s3_credentials
  docker_run_env env`.split(/\s+/),
);

/** Deeper values are cut off, which also ends cycles. */
const maxDepth = 6;

/**
 * Masks values under secret names, except in bindings of child loggers. Errors keep only name, message, stack and their
 * cause's message, because libraries attach requests to errors. @param destination standard output by default
 */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    // Pino's own `redact` with wildcards takes ten times as long as the line.
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (fields: object) => mask(fields),
    },
    serializers: { err: (masked: unknown) => masked },
  };
  return destination ? pino(options, destination) : pino(options);
}

function mask(fields: object, depth = 1): Record<string, unknown> {
  const masked: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields))
    masked[name] =
      secretNames.has(name.toLowerCase()) && value !== null ? "[secret]" : maskValue(value, depth);
  return masked;
}

function maskValue(value: unknown, depth: number): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Error) return bareError(value);
  if (value instanceof Date) return value;
  if (depth >= maxDepth) return "[deep]";
  return Array.isArray(value) ? value.map((item) => maskValue(item, depth + 1)) : mask(value, depth + 1);
}

function bareError({ name, message, stack, cause }: Error): object {
  return { name, message, stack, cause: cause instanceof Error ? cause.message : undefined };
}
