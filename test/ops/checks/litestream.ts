// Litestream's configuration, strictly in the part that is used, and its path against the image's.
import { parse } from "yaml";
import { z } from "zod";
import { read } from "../service-facts.ts";

const duration = z.string().regex(/^\d+(s|m|h)$/);

const configuration = z.strictObject({
  dbs: z.array(
    z.strictObject({
      path: z.string(),
      replicas: z
        .array(
          z.strictObject({
            type: z.literal("s3"),
            bucket: z.string(),
            path: z.string(),
            region: z.string(),
            "sync-interval": duration,
            "snapshot-interval": duration,
            retention: duration,
          }),
        )
        .min(1),
    }),
  ),
});

export function litestreamProblems(text: string): string[] {
  const config = configuration.safeParse(parse(text));
  if (!config.success) return config.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  return config.data.dbs
    .filter(({ path }) => !read("Dockerfile").includes(`DATABASE_URL=sqlite:${path}\n`))
    .map(({ path }) => `${path} is not where the image keeps its database`);
}
