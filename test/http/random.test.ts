// Whatever is sent, the service neither breaks nor writes anything that it has not acknowledged.
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Service, startService } from "../support/service.ts";

let service: Service;
beforeAll(async () => {
  service = await startService();
  service.network.lyceumIsUp = false;
});
afterAll(() => service.close());

const jobs = (): number => service.rows("select count(*) as n from jobs")[0].n;

/** Runs that are nearly right, so that the checks are met in depth. */
const value = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom("cpu", 1, 60, null, [], {}, "\u0000", "__proto__"),
);
const field = fc.constantFrom(
  ..."name timeout code nbcode files env matrix extra execution_type docker_image_ref docker_run_cmd docker_run_env".split(
    " ",
  ),
  ..."import_files prior_imports compose_file_code enable_s3_mount graceful_timeout machine_type __proto__".split(
    " ",
  ),
);
const run = fc
  .tuple(
    fc.constantFrom("python", "image", "compose", "gpu_selection", "python", "none"),
    fc.oneof(fc.constant({}), fc.dictionary(field, value, { maxKeys: 3 })),
    fc.constantFrom(true, true, false),
  )
  .map(([kind, more, isWhole]) => {
    const needed = { code: "1", docker_image_ref: "x", compose_file_code: "x" };
    const own = {
      python: "code",
      gpu_selection: "code",
      image: "docker_image_ref",
      compose: "compose_file_code",
    };
    const name = own[kind as keyof typeof own] as keyof typeof needed | undefined;
    return { kind, ...(isWhole && name !== undefined ? { [name]: needed[name] } : {}), ...more };
  });
const jobField = fc.constantFrom(
  ..."name priority max_parallel retry on_lost on_run_failure deadline_s metadata webhook_url surprise".split(
    " ",
  ),
);
const body = fc.oneof(
  fc.jsonValue().map((json) => JSON.stringify(json)),
  fc.string({ unit: "binary", maxLength: 60 }),
  fc
    .tuple(fc.array(run, { maxLength: 2 }), fc.dictionary(jobField, value, { maxKeys: 1 }))
    .map(([runs, more]) => JSON.stringify({ runs, ...more })),
);

it("no submitted body breaks the service, and only a 202 leaves a job", async () => {
  const statuses = new Set<number>();
  await fc.assert(
    fc.asyncProperty(body, async (text) => {
      const before = jobs();
      const { status, headers } = await service.ann.post("/v1/jobs", text);
      statuses.add(status);
      expect([202, 400, 422]).toContain(status);
      expect(jobs()).toBe(before + (status === 202 ? 1 : 0));
      expect(headers.get("X-Request-Id")).toMatch(/./);
    }),
    { numRuns: 400 },
  );
  expect([...statuses].sort()).toEqual([202, 400, 422]);
});

it("no path, query or header breaks the service", async () => {
  const part = fc.oneof(
    fc.constantFrom(
      "v1",
      "jobs",
      "runs",
      "executions",
      "callbacks",
      "lyceum",
      "cancel",
      "status",
      "..",
      "%",
      "%00",
    ),
    fc.string({ maxLength: 12 }).map(encodeURIComponent),
  );
  const query = fc.dictionary(
    fc.constantFrom("limit", "cursor", "status", "name", "created_after", "a"),
    fc.string(),
  );
  const method = fc.constantFrom("GET", "POST", "DELETE", "PUT", "HEAD");
  await fc.assert(
    fc.asyncProperty(
      method,
      fc.array(part, { maxLength: 5 }),
      query,
      body,
      async (verb, parts, given, text) => {
        const path = `/${parts.join("/")}?${new URLSearchParams(given)}`;
        const { status } = await service.ann.call(
          verb,
          path,
          verb === "GET" || verb === "HEAD" ? undefined : text,
        );
        expect(status).toBeLessThan(500);
      },
    ),
    { numRuns: 300 },
  );
  expect(service.logLines.filter((line) => line.includes('"event":"fault"'))).toEqual([]);
});
