// Warnings about a submission that is taken all the same.
import type { FieldError } from "../contract/problem.ts";
import type { Submission } from "../contract/submission.ts";
import { closestMatch } from "../lib/closest-match.ts";
import type { AppContext } from "./request-context.ts";

const CATALOGUE_TRUSTED_MS = 3_600_000;
/** Entries of one answer: a job of 10,000 runs may misspell the same profile 10,000 times. */
const MAX_WARNINGS = 100;

/** The catalogue counts for an hour after its read. */
export async function hardwareWarnings(context: AppContext, { runs }: Submission): Promise<FieldError[]> {
  const catalogue = await context.machineTypes();
  const isFresh = catalogue.some(({ fetched_at }) => fetched_at > context.now() - CATALOGUE_TRUSTED_MS);
  if (!isFresh) return [];
  const known = catalogue.map(({ hardware_profile }) => hardware_profile);
  return runs
    .flatMap((run, index) => {
      const profile = "execution_type" in run ? run.execution_type : undefined;
      if (profile === undefined || known.includes(profile)) return [];
      return [{ pointer: `/runs/${index}/execution_type`, detail: describeUnknown(profile, known) }];
    })
    .slice(0, MAX_WARNINGS);
}

function describeUnknown(profile: string, known: string[]): string {
  const nearest = closestMatch(profile, known);
  const hint =
    nearest === null ? `Lyceum lists ${known.slice(0, 10).join(", ")}` : `did you mean ${nearest}?`;
  return `${profile} is not in Lyceum's catalogue; ${hint}`;
}
