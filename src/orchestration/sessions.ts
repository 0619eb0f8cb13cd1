// A session lives in the database: it outlives a restart and holds at every instance. Only a hash of its id is kept.
import { hash, randomBytes } from "node:crypto";
import { deleteSession, findSession, insertSession } from "../store/sessions.ts";
import type { Context } from "./context.ts";

export interface SessionKey {
  name: string;
  fingerprint: string;
}

export const SESSION_MS = 12 * 60 * 60_000;
const MAX_SESSIONS_PER_KEY = 200;

export async function openSession({ store }: Context, key: SessionKey): Promise<string> {
  const id = randomBytes(32).toString("base64url");
  await store.write(({ db, now }) => {
    const session = {
      id_hash: sha256(id),
      api_key: key.name,
      key_proof: proofOf(id, key),
      expires_at: now + SESSION_MS,
    };
    return insertSession(db, session, now, MAX_SESSIONS_PER_KEY);
  });
  return id;
}

/**
 * Null when the session is over, or the name has another key by now. @param keyNamed the key of a name in the settings
 */
export async function sessionKeyName(
  { store }: Context,
  id: string,
  now: number,
  keyNamed: (name: string) => SessionKey | undefined,
): Promise<string | null> {
  const session = await findSession(store.db, sha256(id));
  const key = session === undefined ? undefined : keyNamed(session.api_key);
  if (session === undefined || key === undefined || session.expires_at <= now) return null;
  return session.key_proof === proofOf(id, key) ? key.name : null;
}

export async function closeSession({ store }: Context, id: string): Promise<void> {
  await store.write(({ db }) => deleteSession(db, sha256(id)));
}

/** With the session's id, so that the table has nothing from which a key could be told. */
function proofOf(id: string, { fingerprint }: SessionKey): string {
  return sha256(`${id} ${fingerprint}`);
}

function sha256(text: string): string {
  return hash("sha256", text, "hex");
}
