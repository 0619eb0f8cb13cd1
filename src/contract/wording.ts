// Default messages for invalid fields. Loading the module sets them for all schemas.
import { z } from "zod";

type RawIssue = Parameters<NonNullable<ReturnType<typeof z.config>["customError"]>>[0];

z.config({ customError: wording });

export function wording(issue: RawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined ? "is required" : mustBe(issue.expected, issue.input);
    case "too_small":
      return bound(issue.origin, Number(issue.minimum), "or more", "at least");
    case "too_big":
      return bound(issue.origin, Number(issue.maximum), "or less", "at most");
    case "invalid_value":
      return `must be one of ${issue.values.map(String).join(", ")}`;
    case "invalid_union":
      return "options" in issue && Array.isArray(issue.options)
        ? `must be one of ${issue.options.map(String).join(", ")}`
        : undefined;
    default:
      return undefined;
  }
}

function bound(origin: string, value: number, forNumbers: string, forSizes: string): string {
  const unit = units[origin];
  if (unit === undefined) return `must be ${value} ${forNumbers}`;
  if (value === 1 && forSizes === "at least") return "must not be empty";
  return `must have ${forSizes} ${value} ${unit}`;
}

/** Units of types that have a size. */
const units: Record<string, string> = {
  string: "characters",
  array: "entries",
  set: "entries",
  map: "entries",
};

function mustBe(expected: string, input: unknown): string {
  const wanted = typeNames[expected] ?? `a ${expected}`;
  // For a number that is not whole, show the number itself.
  const given = expected === "int" && typeof input === "number" ? String(input) : typeNames[typeOf(input)];
  return given === undefined ? `must be ${wanted}` : `must be ${wanted}, not ${given}`;
}

function typeOf(input: unknown): string {
  if (input === null) return "null";
  return Array.isArray(input) ? "array" : typeof input;
}

const typeNames: Record<string, string> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
  null: "null",
};
