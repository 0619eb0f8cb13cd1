// Operations on strays.
import { pageOf } from "../field.ts";
import { json, type Operation } from "../operation.ts";
import { page } from "../query.ts";
import { stray } from "../stray.ts";

export const listStrays = {
  id: "listStrays",
  tag: "Executions",
  summary: "List executions that a restore found without their runs",
  description:
    "Started by this account after the backup that was restored, newest first. They are followed until their cost is known, and never aborted. For readers and administrators; submitters get an empty list, since the key of a stray is not known.",
  query: page,
  answers: { 200: json(pageOf(stray), "A page of strays.") },
} satisfies Operation;
