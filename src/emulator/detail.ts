// Lyceum answers like a FastAPI service [api-reference/introduction]: zod's issues become `detail: [{loc, msg, type}]`.
import type * as z from "zod";

export interface Detail {
  loc: (string | number)[];
  msg: string;
  type: string;
}

/** @param place the source of the values */
export function detailsOf(error: z.ZodError, place: "body" | "query"): Detail[] {
  return error.issues.map((issue) => {
    const loc = [place, ...issue.path.map((step) => (typeof step === "symbol" ? String(step) : step))];
    return { loc, ...wording(issue) };
  });
}

export function missing(field: string): Detail {
  return { loc: ["body", field], msg: "Field required", type: "missing" };
}

export function extra(field: string): Detail {
  return { loc: ["body", field], msg: "Extra inputs are not permitted", type: "extra_forbidden" };
}

export function invalid(field: string, msg: string): Detail {
  return { loc: ["body", field], msg, type: "value_error" };
}

type Issue = z.core.$ZodIssue;

const typeWords: Record<string, [string, string]> = {
  string: ["string", "string_type"],
  int: ["integer", "int_type"],
  number: ["integer", "int_type"],
  boolean: ["boolean", "bool_type"],
  array: ["list", "list_type"],
  object: ["dictionary or object to extract fields from", "model_attributes_type"],
};

function wording(issue: Issue): { msg: string; type: string } {
  switch (issue.code) {
    case "invalid_type": {
      if (issue.message.endsWith("received undefined")) return { msg: "Field required", type: "missing" };
      const [word, type] = typeWords[issue.expected] ?? [issue.expected, `${issue.expected}_type`];
      return { msg: `Input should be a valid ${word}`, type };
    }
    case "too_big":
      return { msg: `Input should be less than or equal to ${issue.maximum}`, type: "less_than_equal" };
    case "too_small":
      return { msg: `Input should be greater than or equal to ${issue.minimum}`, type: "greater_than_equal" };
    case "invalid_format":
      return {
        msg: `String should match pattern '${issue.pattern?.slice(1, -1)}'`,
        type: "string_pattern_mismatch",
      };
    default:
      return { msg: issue.message, type: "value_error" };
  }
}
