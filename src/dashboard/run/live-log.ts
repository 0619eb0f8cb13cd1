// The log of a run that is alive, line by line as Lyceum shows it.
import { useEffect, useState } from "preact/hooks";
import type { LogEntry, Run } from "../../client/client.ts";
import { api, explain, isSignedOut } from "../api.ts";
import { h, html } from "../html.ts";
import { LogViewer } from "../log/viewer.ts";
import { endSession } from "../session.ts";
import { empty } from "../view/state.ts";

/** A longer log keeps its last entries; the stored one has them all. */
const MAX_ENTRIES = 50_000;
const SHOW_EVERY_MS = 250;

export function LiveLog({ run }: { run: Run }) {
  const [entries, setEntries] = useState<LogEntry[]>([]);
  const [note, setNote] = useState<string | null>(null);
  useEffect(() => {
    const leaving = new AbortController();
    let all: LogEntry[] = [];
    let showing = 0;
    const show = () => {
      showing = 0;
      if (!leaving.signal.aborted) setEntries(all.slice(-MAX_ENTRIES));
    };
    async function follow(): Promise<void> {
      try {
        for await (const entry of api.followLogs(run.id, { signal: leaving.signal, onNote: setNote })) {
          all.push(entry);
          if (all.length > 2 * MAX_ENTRIES) all = all.slice(-MAX_ENTRIES);
          showing ||= setTimeout(show, SHOW_EVERY_MS);
        }
      } catch (error) {
        if (leaving.signal.aborted) return;
        if (isSignedOut(error)) endSession();
        else setNote(explain(error).detail);
      }
    }
    void follow();
    return () => {
      leaving.abort();
      clearTimeout(showing);
    };
  }, [run.id]);
  const banner = html`<p class="notice" role="status"><b>Live.</b> ${note ?? "New lines appear by themselves."}</p>`;
  if (entries.length === 0) return html`<div class="stack">${banner}${empty("No line yet")}</div>`;
  return html`<div class="stack">${banner}${h(LogViewer, { entries, name: run.id, isLive: true })}</div>`;
}
