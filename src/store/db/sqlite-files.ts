// Detects that the file of an open SQLite database was removed or replaced. SQLite would accept writes that are lost.
import { statSync } from "node:fs";
import { DatabaseUnavailable } from "../../lib/database-error.ts";

/** The check costs some microseconds; a commit costs a hundred times as much. */
export function watchFiles(path: string): () => void {
  if (path === ":memory:") return () => {};
  const opened = [path, `${path}-wal`].map((name) => ({ name, identity: identityOf(name) }));
  return () => {
    for (const file of opened) {
      const identity = identityOf(file.name);
      // SQLite creates the log with the first write.
      file.identity ??= identity;
      if (identity !== file.identity)
        throw new DatabaseUnavailable(
          "away",
          `${file.name} was ${identity === null ? "removed" : "replaced"} while it was open (DATABASE_URL=sqlite:${path}); put it back, or restart the service`,
        );
    }
  };
}

function identityOf(path: string): string | null {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return null;
  }
}
