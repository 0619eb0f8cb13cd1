// Costs by hardware, the part that idle GPUs cost, and prices.
import type { MachineTypes, Usage } from "../../client/client.ts";
import { count, credits, DASH, duration, percent } from "../format.ts";
import { h, html } from "../html.ts";
import { Panel } from "../view/parts.ts";
import { type Column, Table } from "../view/table.ts";

type Spent = Usage["data"][number];
type Machine = MachineTypes["data"][number];

interface Row extends Partial<Spent> {
  profile: string;
  machine: Machine | undefined;
}

/** A row for each profile that costed something or that Lyceum offers; whatever costed most comes first. */
export function HardwarePanel({ usage, machines }: { usage: Usage; machines: MachineTypes }) {
  const offered = new Map(machines.data.map((machine) => [machine.hardware_profile, machine]));
  const spent = new Map(usage.data.map((row) => [row.hardware ?? "", row]));
  const rows = [...new Set([...spent.keys(), ...offered.keys()])]
    .map((profile): Row => ({ ...spent.get(profile), profile, machine: offered.get(profile) }))
    .toSorted((a, b) => (b.cost?.total ?? -1) - (a.cost?.total ?? -1));
  const children = h(Table<Row>, {
    label: "Cost by hardware",
    columns,
    rows,
    keyOf: ({ profile }) => profile,
  });
  return h(Panel, { title: "Hardware", children });
}

const columns: Column<Row>[] = [
  {
    title: "Profile",
    by: ({ profile }) => profile,
    show: ({ profile }) => (profile === "" ? "not named" : html`<code>${profile}</code>`),
  },
  {
    title: "Cost",
    numeric: true,
    by: ({ cost }) => cost?.total ?? null,
    show: ({ cost }) => credits(cost?.total),
  },
  {
    title: "Idle GPU",
    numeric: true,
    by: ({ idle_gpu }) => idle_gpu?.cost ?? null,
    show: ({ idle_gpu, duration_ms = 0 }) =>
      idle_gpu === undefined || idle_gpu.duration_ms === 0
        ? html`<span class="faint">${DASH}</span>`
        : html`<span>${credits(idle_gpu.cost)} <span class="faint">${percent(idle_gpu.duration_ms / duration_ms)}</span></span>`,
  },
  {
    title: "Executions",
    numeric: true,
    minor: true,
    by: ({ executions }) => executions ?? null,
    show: ({ executions }) => count(executions),
  },
  {
    title: "Compute",
    numeric: true,
    minor: true,
    by: ({ duration_ms }) => duration_ms ?? null,
    show: ({ duration_ms }) => duration(duration_ms),
  },
  {
    title: "Credits per hour",
    numeric: true,
    by: ({ machine }) => machine?.price_per_hour ?? null,
    show: ({ machine }) => credits(machine?.price_per_hour),
  },
  {
    title: "For this account",
    minor: true,
    show: ({ machine }) =>
      machine === undefined
        ? "not offered"
        : machine.available === null
          ? "unknown"
          : machine.available
            ? "yes"
            : "no",
  },
];
