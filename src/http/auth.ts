// API keys: authentication, and what each role may do.
import { hash, timingSafeEqual } from "node:crypto";

export type Role = "submit" | "read" | "admin";

export interface Caller {
  name: string;
  role: Role;
}

/** Required access. `open` needs no key; for `callback` the route checks the token in the path. */
export type Access = "open" | "callback" | "read" | "write" | "admin";

export type Authenticate = (authorization: string | undefined) => Caller | null;

/** Every key is compared in constant time. Hashes have equal lengths. */
export function authenticator(keys: readonly { name: string; key: string; role: Role }[]): Authenticate {
  const known = keys.map(({ name, role, key }) => ({ caller: { name, role }, digest: sha256(key) }));
  return (authorization) => {
    const [, token] = /^Bearer +(\S+) *$/i.exec(authorization ?? "") ?? [];
    const digest = sha256(token ?? "");
    let caller: Caller | null = null;
    for (const candidate of known) if (timingSafeEqual(candidate.digest, digest)) caller = candidate.caller;
    return token === undefined ? null : caller;
  };
}

export interface Keyring {
  authenticate: Authenticate;
  /** As the settings have it now. */
  keyNamed(name: string): { name: string; role: Role; fingerprint: string } | undefined;
  callers: readonly Caller[];
}

export function keyring(
  keys: readonly { name: string; key: string; role: Role }[],
  authenticate: Authenticate,
): Keyring {
  const byName = new Map(
    keys.map(({ name, key, role }) => [name, { name, role, fingerprint: hash("sha256", key, "hex") }]),
  );
  return {
    authenticate,
    keyNamed: (name) => byName.get(name),
    callers: keys.map(({ name, role }) => ({ name, role })),
  };
}

export function mayCall({ role }: Caller, access: Access): boolean {
  if (access === "admin") return role === "admin";
  return access !== "write" || role !== "read";
}

/** Null: all. */
export function ownerSeenBy({ name, role }: Caller): string | null {
  return role === "submit" ? name : null;
}

/** As text: a digest that node returns as a Buffer takes three times as long. */
function sha256(text: string): Buffer {
  return Buffer.from(hash("sha256", text, "base64url"));
}
