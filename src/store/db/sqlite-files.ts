// The files of an open SQLite database, compared with what their paths name: a database that was removed or replaced
// stays open, and takes writes that nobody will ever find.
import { statSync } from "node:fs";
import { DatabaseUnavailable } from "../../lib/database-error.ts";

/** Answers a check. Two stats cost some microseconds, a commit a hundred times as much. */
export function watchFiles(path: string): () => void {
  if (path === ":memory:") return () => {};
  const opened = [path, `${path}-wal`].map((name) => ({ name, identity: identityOf(name) }));
  return () => {
    for (const file of opened) {
      const identity = identityOf(file.name);
      // SQLite makes the log when it is first needed.
      file.identity ??= identity;
      if (identity !== file.identity)
        throw new DatabaseUnavailable(
          "away",
          `${file.name} was ${identity === null ? "removed" : "replaced"} while it was open (DATABASE_URL=sqlite:${path}); put it back, or restart the service`,
        );
    }
  };
}

/** Null where there is no file, or none that can be seen. */
function identityOf(path: string): string | null {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return null;
  }
}
