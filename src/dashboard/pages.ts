// Which page an address shows. Pages are loaded when they are first opened.
import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import { h, html } from "./html.ts";
import { Overview } from "./page/overview.ts";
import { place } from "./router.ts";
import { empty } from "./view/state.ts";

type View = (props: { id: string }) => VNode;

const lazy: Record<string, () => Promise<View>> = {
  jobs: async () => (await import("./page/jobs.ts")).Jobs,
  job: async () => (await import("./page/job.ts")).JobPage,
  runs: async () => (await import("./page/runs.ts")).Runs,
  run: async () => (await import("./page/run.ts")).RunPage,
  callbacks: async () => (await import("./page/callbacks.ts")).Callbacks,
  webhooks: async () => (await import("./page/webhooks.ts")).Webhooks,
  webhook: async () => (await import("./page/webhook.ts")).WebhookPage,
  usage: async () => (await import("./page/usage.ts")).UsagePage,
  system: async () => (await import("./page/system.ts")).System,
};

const known = new Map<string, View>();

export function Page() {
  const [first = "", id = ""] = place.value.path;
  // `jobs` is the list, `jobs/<id>` one of them.
  const name = id === "" ? first : first.replace(/s$/, "");
  const [, setLoaded] = useState("");
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    const load = lazy[name];
    if (load === undefined || known.has(name)) return;
    load().then(
      (view) => {
        known.set(name, view);
        setLoaded(name);
      },
      // A newer service has parts of other names.
      setError,
    );
  }, [name]);
  if (first === "") return h(Overview, {});
  if (lazy[name] === undefined) return empty("There is no such page", html`<p><a href="#/">Overview</a></p>`);
  const view = known.get(name);
  if (view !== undefined) return h(view, { id, key: `${name}/${id}` });
  if (error !== null)
    return empty(
      "The page could not be loaded",
      html`<p><button type="button" onClick=${() => location.reload()}>Load it again</button></p>`,
    );
  return html`<div class="loading" role="status"><span class="spinner"></span>Loading…</div>`;
}
