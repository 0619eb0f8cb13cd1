// The settings of the service under trial: short waits, so that what takes minutes in earnest takes seconds here.
import type { StartLimit } from "./starts.ts";

export const keys = {
  alice: `alice-${"a".repeat(32)}`,
  bob: `bob-${"b".repeat(32)}`,
  admin: `admin-${"c".repeat(32)}`,
};

export const shutdownGraceMs = 8_000;

export function settings(place: {
  port: number;
  databaseUrl: string;
  lyceumUrl: string;
  limit: StartLimit | null;
}): Record<string, string> {
  const { port, databaseUrl, lyceumUrl, limit } = place;
  return {
    LYCEUM_BASE_URL: lyceumUrl,
    LYCEUM_API_KEY: "lk_emulator",
    API_KEYS: `alice:${keys.alice},bob:${keys.bob},admin:${keys.admin}:admin`,
    CALLBACK_SECRETS: "crash-".padEnd(32, "s"),
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    DATABASE_URL: databaseUrl,
    HOST: "127.0.0.1",
    PORT: String(port),
    SUBMIT_LIMIT: limit === null ? "none" : `${limit.max}/${limit.windowMs}ms`,
    CALLBACK_GRACE: "1s",
    POLL_INTERVAL_MIN: "300ms",
    POLL_INTERVAL_MAX: "2s",
    // Long enough for a start that is under way when the process dies to show up: lost is then truly lost.
    IN_DOUBT_AFTER: "5s",
    DRAIN_DELAY: "500ms",
    SHUTDOWN_GRACE: `${shutdownGraceMs}ms`,
  };
}
