// Runs a block of tests against the whole service on SQLite and on PostgreSQL, one service for all of them.
import { afterAll, beforeAll, describe } from "vitest";
import { createDatabase } from "./databases.ts";
import { type Service, type ServiceOptions, startService } from "./service.ts";

export function eachService(
  title: string,
  options: ServiceOptions,
  tests: (of: () => Service) => void,
): void {
  for (const kind of ["SQLite", "PostgreSQL"] as const)
    describe(`${title} (${kind})`, () => {
      let service: Service;
      let remove = async () => {};
      beforeAll(async () => {
        const settings = { ...options.settings };
        if (kind === "PostgreSQL") {
          const database = await createDatabase(true);
          if (database.target.kind === "postgres") settings.DATABASE_URL = database.target.url;
          remove = database.remove;
        }
        service = await startService({ ...options, settings });
      });
      afterAll(async () => {
        await service.close();
        await remove();
      });
      tests(() => service);
    });
}
