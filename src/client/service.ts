// Answers about the service itself: status, hardware, usage, settings, webhooks and callbacks.
import type { components } from "./schema.ts";

type Schemas = components["schemas"];

export type Status = Schemas["Status"];
export type MachineTypes = Schemas["MachineTypes"];
export type Usage = Schemas["Usage"];
export type Stray = Schemas["Stray"];
export type Callback = Schemas["Callback"];
export type Webhook = Schemas["Webhook"];
export type Delivery = Schemas["Delivery"];
export type Whoami = Schemas["Whoami"];
export type Stats = Schemas["Stats"];
export type ApiKeys = Schemas["ApiKeys"];
export type Settings = Schemas["Settings"];
export type SubmittedSpec = Schemas["RunSpec"];

/** A webhook with its secret, which only creation and rotation return. */
export type WebhookWithSecret = Schemas["DisclosedWebhook"];
