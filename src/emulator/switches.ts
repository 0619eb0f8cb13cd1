// All switches of the emulator. Lyceum documents none of this behaviour; a client must survive each.
import * as z from "zod";
import { calls, callsDefaults } from "./switches/calls.ts";
import { documents, documentsDefaults } from "./switches/documents.ts";
import { gateway } from "./switches/gateway.ts";
import { life, lifeDefaults } from "./switches/life.ts";

const perRun = { ...life, ...documents, gateway };
const all = { ...perRun, ...calls };

export const runChangesSchema = z.strictObject(perRun).partial();

export const changesSchema = z.strictObject(all).partial();

const allSchema = z.strictObject(all);

export type Changes = z.input<typeof changesSchema>;
export type RunChanges = z.output<typeof runChangesSchema>;
export type Switches = z.output<typeof allSchema>;

export const defaults: Switches = { ...lifeDefaults, ...documentsDefaults, gateway: [], ...callsDefaults };
