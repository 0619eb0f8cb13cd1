// All switches of the emulator: meaning, default and syntax. Lyceum documents none of this behaviour; each switch is a
// behaviour that a client must survive.
import * as z from "zod";
import { calls, callsDefaults } from "./switches/calls.ts";
import { documents, documentsDefaults } from "./switches/documents.ts";
import { gateway } from "./switches/gateway.ts";
import { life, lifeDefaults } from "./switches/life.ts";

const perRun = { ...life, ...documents, gateway };
const all = { ...perRun, ...calls };

/** Any of the switches that a directive may set for one run. Unknown names are refused. */
export const runChangesSchema = z.strictObject(perRun).partial();

/** Any of the switches. Unknown names are refused. */
export const changesSchema = z.strictObject(all).partial();

const allSchema = z.strictObject(all);

/** Switches to change, as written in options, `setChaos` and `POST /__emulator/chaos`. */
export type Changes = z.input<typeof changesSchema>;
export type RunChanges = z.output<typeof runChangesSchema>;
export type Switches = z.output<typeof allSchema>;

/** Defaults: no faults and no delays. */
export const defaults: Switches = { ...lifeDefaults, ...documentsDefaults, gateway: [], ...callsDefaults };
