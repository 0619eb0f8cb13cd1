// Costs by hardware, beside the totals by day and key.
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table hardware_usage (
    day text not null, api_key text not null, hardware text not null,
    executions bigint not null, duration_ms bigint not null, billed_nano bigint not null,
    estimated_nano bigint not null, unpriced bigint not null, idle_ms bigint not null,
    constraint hardware_usage_pk primary key (day, api_key, hardware)
  )`.execute(db);
}
