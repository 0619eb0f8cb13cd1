// The settings in force, for administrators.
import type { Settings } from "../../client/client.ts";
import { api } from "../api.ts";
import { DASH } from "../format.ts";
import { h, html } from "../html.ts";
import { useLoad } from "../load.ts";
import { Panel } from "../view/parts.ts";
import { shown } from "../view/state.ts";
import { type Column, Table } from "../view/table.ts";

type Setting = Settings["data"][number];

const columns: Column<Setting>[] = [
  { title: "Setting", by: ({ name }) => name, show: ({ name }) => html`<code>${name}</code>` },
  { title: "Value", show: ({ value }) => html`<code class="clip wide">${value ?? DASH}</code>` },
];

export function SettingsPanel() {
  const [settings, reload] = useLoad("settings", (signal) => api.settings({ signal }));
  const children = shown(settings, reload, ({ data }) =>
    h(Table<Setting>, { label: "Settings", columns, rows: data, keyOf: ({ name }) => name }),
  );
  return h(Panel, { title: "Settings in force", children });
}
