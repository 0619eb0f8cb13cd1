// The signed-in key and the rights of its role.
import { signal } from "@preact/signals";
import { api, explain } from "./api.ts";
import { place, replace } from "./router.ts";

export type Role = "submit" | "read" | "admin";

export type Session =
  | { type: "starting" }
  | { type: "out"; reason: string | null }
  | { type: "in"; name: string; role: Role };

export const session = signal<Session>({ type: "starting" });

/** A key with the role `read` changes nothing: what it may not do is not offered. */
export function mayWrite(): boolean {
  return session.value.type === "in" && session.value.role !== "read";
}

/** A key with the role `submit` sees its own jobs alone. */
export function seesAllKeys(): boolean {
  return session.value.type === "in" && session.value.role !== "submit";
}

export function isAdmin(): boolean {
  return session.value.type === "in" && session.value.role === "admin";
}

/** @param isSignedIn by the service's answer with the page */
export async function startSession(isSignedIn: boolean): Promise<void> {
  const [first, oneTimeKey] = place.peek().path;
  if (first === "sign-in" && oneTimeKey !== undefined) {
    // Out of the address before anything else: it is worth a key until it is used.
    replace("#/");
    await signIn(oneTimeKey);
  } else if (isSignedIn)
    await learnWho().catch((error) => {
      session.value = { type: "out", reason: explain(error).detail };
    });
  else session.value = { type: "out", reason: null };
}

export async function signIn(key: string): Promise<void> {
  try {
    await api.session.start(key.trim());
    await learnWho();
  } catch (error) {
    session.value = { type: "out", reason: explain(error).detail };
  }
}

export async function signOut(): Promise<void> {
  await api.session.end().catch(() => undefined);
  session.value = { type: "out", reason: null };
}

/** After an answer that says that the session is over. */
export function endSession(): void {
  if (session.peek().type === "in")
    session.value = { type: "out", reason: "The session is over. Sign in again." };
}

async function learnWho(): Promise<void> {
  const { name, role } = await api.whoami();
  session.value = { type: "in", name, role };
}
