// Lists the conditions that need a person, each with a link to the page that shows it.
import type { ApiKeys, Job, Run, Status, Usage, Webhook } from "../../client/client.ts";
import { credits, rough } from "../format.ts";

export interface Concern {
  tone: "bad" | "warn";
  text: string;
  href: string;
}

export function concernsOf(status: Status, webhooks: Webhook[], now: number): Concern[] {
  const { queue, callbacks, lyceum } = status;
  const found: (Concern | false)[] = [
    queue.without_wakeup > 0 && {
      tone: "bad",
      text: `${queue.without_wakeup} rows have no wake-up: a fault of Proctor, please report it`,
      href: "#/system",
    },
    !status.accepting && {
      tone: "warn",
      text: "The service is about to stop and takes nothing new",
      href: "#/system",
    },
    lyceum.circuit.state !== "closed" && {
      tone: "bad",
      text: `Lyceum does not answer: ${lyceum.circuit.failures} failures in a row, ${nextTry(lyceum.circuit.retry_at, now)}`,
      href: "#/system",
    },
    lyceum.starts?.state === "paused" && {
      tone: "bad",
      text: `All starts are paused: ${lyceum.starts.detail ?? lyceum.starts.reason ?? "no reason is known"}`,
      href: "#/system",
    },
    queue.in_doubt > 0 && {
      tone: "warn",
      text: `${queue.in_doubt} ${queue.in_doubt === 1 ? "start is" : "starts are"} in doubt: the answer was lost, and Lyceum is being searched`,
      href: "#/jobs?status=active",
    },
    callbacks.mode === "callbacks" &&
      callbacks.health === "absent" && {
        tone: "warn",
        text: `Callbacks are absent (${callbacks.recently_missed} of the last ${callbacks.judged} ends had none): polling finds the ends`,
        href: "#/callbacks",
      },
    ...webhooks.map(
      ({ id, status: state, url, failing_since }): Concern | false =>
        state !== "ok" && {
          tone: state === "disabled" ? "bad" : "warn",
          text: `The webhook to ${originOf(url)} ${state === "failing" ? "has been failing" : "is disabled"}${failing_since === null ? "" : `${state === "failing" ? " for" : " after failing for"} ${rough(now - Date.parse(failing_since))}`}`,
          href: `#/webhooks/${id}`,
        },
    ),
  ];
  return found.filter((one) => one !== false);
}

export function budgetConcerns(jobs: Job[]): Concern[] {
  return jobs
    .filter(({ budget, ended_at }) => budget?.reached === true && ended_at === null)
    .map(({ id, name }) => ({
      tone: "warn",
      text: `The budget of ${name ?? id} is used up: it starts nothing more`,
      href: `#/jobs/${id}`,
    }));
}

/** Keys that start nothing more in this window because their budget is used up. */
export function keyConcerns({ data }: ApiKeys, now: number): Concern[] {
  return data.flatMap(({ name, budget }): Concern[] => {
    if (budget?.reached !== true) return [];
    const more = `more in ${rough(Math.max(1_000, Date.parse(budget.resets_at) - now))}`;
    const text = `The budget of the key ${name} is used up (${credits(budget.spent)} of ${credits(budget.limit)}): ${more}`;
    return [{ tone: "warn", text, href: "#/usage" }];
  });
}

/** GPUs that were paid for and hardly used. */
export function idleConcern(runs: Run[]): Concern | null {
  const idle = runs.filter(({ findings }) => findings.some(({ code }) => code === "gpu_idle"));
  const [latest] = idle;
  if (latest === undefined) return null;
  const lost = idle.reduce((sum, { gpu, cost }) => sum + (gpu?.idle_share ?? 0) * (cost ?? 0), 0);
  return {
    tone: "warn",
    text: `GPUs were idle in ${idle.length} of the latest ${runs.length} runs: about ${credits(lost)} credits for nothing`,
    href: `#/runs/${latest.id}?tab=gpu`,
  };
}

/** Executions that may cost something that nobody knows of. */
export function unpricedConcern({ total }: Usage): Concern | null {
  const { unpriced } = total.cost;
  if (unpriced === 0) return null;
  return { tone: "warn", text: `The cost of ${unpriced} ended executions is not known`, href: "#/usage" };
}

function nextTry(at: string | null, now: number): string {
  const ms = at === null ? 0 : Date.parse(at) - now;
  return ms > 0 ? `next try in ${rough(ms)}` : "being tried";
}

export function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}
