// Parsers of single values. No message quotes a value: a secret may be in the wrong variable.
import { z } from "zod";
import { parseDuration } from "../lib/duration.ts";

export const text = z.string({ error: "is not set" });

/** Sent in an HTTP header, where white space and control characters would break the request. */
export const headerText = text.regex(
  /^[\x21-\x7e]+$/,
  "holds white space or characters that no HTTP header takes",
);

export const endpoint = text
  .refine(
    (value) => /^https?:\/\//i.test(value) && URL.canParse(value),
    "is not a URL; write it as https://…",
  )
  .transform((value) => new URL(value))
  .refine(
    (url) => url.protocol === "https:" || isLoopback(url),
    "is plain HTTP; use https:// (http:// only on localhost, 127.0.0.0/8 or [::1])",
  )
  .refine((url) => !url.username && !url.password, "carries a user name or password; leave them out")
  .refine((url) => !url.search && !url.hash, "carries a query or fragment; leave it out")
  .transform((url) => url.origin + url.pathname.replace(/\/+$/, ""));

/** Comma-separated entries. A problem names its entry by position. */
export function list<T>(entry: z.ZodType<T, string>, source = text) {
  return source.transform((value, ctx): T[] =>
    value.split(",").flatMap((part, index) => {
      const read = entry.safeParse(part.trim());
      for (const { message } of read.error?.issues ?? []) ctx.addIssue(`entry ${index + 1} ${message}`);
      return read.success ? [read.data] : [];
    }),
  );
}

export function whole(min: number, max: number) {
  const inRange = (value: string) => /^\d{1,9}$/.test(value) && Number(value) >= min && Number(value) <= max;
  return text.refine(inRange, `is not a whole number from ${min} to ${max}`).transform(Number);
}

export function duration(min: string, max: string) {
  const [minMs, maxMs] = [parseDuration(min) ?? 0, parseDuration(max) ?? 0];
  return text
    .transform((value) => parseDuration(value) ?? Number.NaN)
    .refine(
      (ms) => ms >= minMs && ms <= maxMs,
      `is not a duration such as 500ms, 30s, 5m, 2h or 7d, from ${min} to ${max}`,
    );
}

export function isLoopback({ hostname }: URL): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
}

export function isUnique(values: string[]): boolean {
  return new Set(values).size === values.length;
}
