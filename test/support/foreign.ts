// A thread that gives functions which match foreign text a mebibyte of what suits them least. A pattern that starts
// over at each place of it would be at work for hours, and a thread can be ended from outside.
import { parentPort } from "node:worker_threads";
import { importsOf } from "../../src/cli/imports.ts";
import { shownOn } from "../../src/cli/terminal.ts";
import { createSseReader } from "../../src/client/sse.ts";
import { listQuery } from "../../src/contract/events.ts";
import { jobsQuery, usageQuery, waitQuery } from "../../src/contract/query.ts";
import { submission } from "../../src/contract/submission.ts";
import { candidateIds } from "../../src/domain/callback-ids.ts";
import { epochNs, formatLogs } from "../../src/domain/logs.ts";
import { compareLog } from "../../src/domain/output.ts";
import { secretsOf } from "../../src/domain/secrets.ts";
import { isWebhookSecret, urlProblem } from "../../src/domain/webhook.ts";
import { readDirectives } from "../../src/emulator/directives.ts";
import { callbackRelocation, isStrayCallback } from "../../src/http/callback-path.ts";
import { cursorOf, readCursor } from "../../src/http/cursor.ts";
import { acceptsExplicitly } from "../../src/http/headers.ts";
import type { RequestContext } from "../../src/http/request-context.ts";
import { createMask } from "../../src/http/views/mask.ts";
import { csvLines } from "../../src/http/views/results-csv.ts";
import { parseDuration } from "../../src/lib/duration.ts";
import { isId } from "../../src/lib/id.ts";
import { withStatement } from "../../src/lib/python-source.ts";
import { redact } from "../../src/lib/redact.ts";
import { readRetryAfter } from "../../src/lib/retry-after.ts";
import { isHeaderValue } from "../../src/lyceum/auth.ts";
import { errorDetail, errorMessageIn } from "../../src/lyceum/error-detail.ts";
import { readId, readName, readNumber, readText, readTime } from "../../src/lyceum/lenient-values.ts";
import { withEnvironment } from "../../src/lyceum/python-env.ts";
import { readLimits } from "../../src/lyceum/rate-limit-headers.ts";
import { readReply } from "../../src/lyceum/read-reply.ts";
import { executionIdIn } from "../../src/lyceum/request.ts";
import { snapshotOfWord } from "../../src/lyceum/snapshot.ts";
import { parseStatus } from "../../src/lyceum/status-words.ts";

const image = {
  kind: "image" as const,
  docker_image_ref: "x",
  docker_run_cmd: [],
  execution_type: "cpu",
  enable_s3_mount: false,
  timeout: 60,
};
const entry = { level: null, hostname: null, labels: {} };

export const readers: Record<string, (text: string) => unknown> = {
  withStatement: (text) => withStatement(text, "pass"),
  withEnvironment: (text) => withEnvironment(text, { A: text.slice(0, 9) }, true),
  redact: (text) => redact(text, ["secret"]),
  "redact by values that repeat themselves": (text) => {
    const part = text.slice(0, 5_000);
    return redact(text, [part, `x${part}`, `${part}x`]);
  },
  "redact by many secrets": (text) => redact(text, text.match(/.{1,5}/gs) ?? []),
  errorDetail: (text) => [
    errorDetail(422, text, ["secret"]),
    errorDetail(422, errorMessageIn({ detail: text, errors: [text, { msg: text }] }), [text]),
  ],
  bodies: (text) => {
    const bytesOf = (said: object) => Buffer.from(JSON.stringify(said));
    const fields = { execution_id: "1", status: text, errors: text, start_time: text, file_name: text };
    return [
      readReply(Buffer.from(text), "logs"),
      readReply(bytesOf({ detail: text }), null),
      readReply(bytesOf({ execution_id: text, status: text }), "start"),
      readReply(bytesOf({ status: text, errors: text }), "status"),
      readReply(bytesOf(fields), "record"),
    ];
  },
  readLimits: (text) => readLimits({ get: () => text }, 0),
  readRetryAfter: (text) => readRetryAfter(text, 0),
  isHeaderValue,
  scalars: (text) => [readTime(text), readNumber(text), readText(text), readName(text), readId(text)],
  classify: (text) => [parseStatus(text), snapshotOfWord(text.slice(0, 9), text)],
  executionIdIn,
  secretsOf: (text) => secretsOf({ ...image, docker_run_env: text }),
  logs: (text) => [epochNs(text), formatLogs([{ ...entry, timestamp: text, message: text }])],
  compareLog: (text) =>
    compareLog([{ ...entry, timestamp: "", message: text }], { stdout: text, stderr: "" }),
  isId: (text) => isId(text, "job"),
  parseDuration,
  webhooks: (text) => [urlProblem(text), urlProblem(`https://${text}`), isWebhookSecret(`whsec_${text}`)],
  mask: (text) => {
    const mask = createMask({ values: ["secret", text.slice(0, 5_000)], tokens: ["t0ken"] });
    return [mask(text), mask(JSON.stringify({ a: text })), mask(`a=${text}`)];
  },
  relocate: (text) => [callbackRelocation("/a")(`/callbacks/${text}`), isStrayCallback(`/callbacks/${text}`)],
  isNamed: (text) =>
    acceptsExplicitly({ req: { header: () => text } } as unknown as RequestContext, "text/csv"),
  csvLines: (text) => csvLines(["A"], [{ matrix: { A: text } } as never]),
  readCursor: (text) => [readCursor(text, "job"), readCursor(cursorOf("event", text), "event")],
  submission: (text) =>
    [
      {
        name: text,
        webhook_url: text,
        runs: [{ ...image, execution_type: text, env: { [text]: text, A: text } }],
      },
      { runs: [{ kind: "python", name: text, code: text, files: { [text]: text }, import_files: text }] },
    ].map((body) => submission.safeParse(body)),
  queries: (text) => [
    jobsQuery.safeParse({ limit: text, cursor: text, status: text, name: text, created_after: text }),
    usageQuery.safeParse({ from: text, key: text }),
    waitQuery.safeParse({ wait: text }),
    listQuery.safeParse({ types: text, last_event_id: text }),
  ],
  importsOf,
  shownOn: (text) => shownOn({ isTTY: true, write: () => true }, text, true),
  candidateIds: (text) => candidateIds(Buffer.from(text), "gzip"),
  "events in one piece": (text) => createSseReader().push(text),
  "events in small pieces": (text) => {
    const sse = createSseReader();
    for (let at = 0; at < text.length; at += 8) sse.push(text.slice(at, at + 8));
    return sse.push("\n\n");
  },
  readDirectives: (text) => readDirectives([text]),
};

parentPort?.on("message", ({ reader, texts }: { reader: string; texts: [string, string, string][] }) => {
  for (const [head, unit, tail] of texts) {
    const length = Math.ceil(LENGTH / unit.length);
    parentPort?.postMessage({ about: JSON.stringify([head, unit, tail]) });
    readers[reader]?.(head + unit.repeat(length) + tail);
  }
  parentPort?.postMessage({ about: null });
});

const LENGTH = 2 ** 20;
