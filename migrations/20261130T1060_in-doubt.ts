// Starts in doubt are counted for the status and the metrics, however many executions are alive.
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index executions_in_doubt on executions (in_doubt_at)
    where phase = 'submitting' and in_doubt_at is not null`.execute(db);
}
