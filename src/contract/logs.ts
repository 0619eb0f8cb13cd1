// The query of a run's log, and the headers of the answer.
import { z } from "zod";
import { artifactQuery, shownAs } from "./query.ts";

export const logsQuery = z.strictObject({
  ...artifactQuery.shape,
  follow: z
    .enum(["true", "false"])
    .default("false")
    .transform((value) => value === "true")
    .describe("Keep the answer open and send further lines until the end of the run, or of the `attempt`."),
});

/** Place of a line in a stream: the attempt and the number of the line; `end` after the last line. */
export const lastLogId = z
  .string()
  .regex(/^(?:end|[1-9]\d{0,3}\.\d{1,9})$/, "must be the id of a line in the stream, such as 1.42")
  .transform((text) => {
    if (text === "end") return "end" as const;
    const [attempt = 1, position = 0] = text.split(".").map(Number);
    return { attempt, position };
  })
  .meta({ override: ({ jsonSchema }) => shownAs(jsonSchema, { type: "string", examples: ["1.42"] }) });

export const logsHeaders = z.object({
  "Last-Event-ID": lastLogId
    .optional()
    .describe("With `follow` and Server-Sent Events: id of the last line that the reader has."),
});

export const logHeaders = {
  "X-Log-Complete":
    "`true` if the record proves that no line is missing or, without proof, if the log had stopped growing; `false` " +
    "while lines of the record are missing.",
  "X-Log-Truncated": "`true` if the log is longer than Lyceum's limit of 10,000 entries.",
  "X-Log-Fetched-At": "When the log was last read from Lyceum; ISO 8601.",
  "X-Log-Live":
    "`true` if the execution has not ended, or its log is not stored yet: the lines that Lyceum shows now.",
  "X-Log-Note": "Why a live execution has no lines.",
};
