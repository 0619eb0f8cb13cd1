// One-time keys: a link that signs in on the machine that runs the service, without typing a key.

export interface SignInLinks {
  /** Null: unknown, too old, or used already. */
  redeem(oneTimeKey: string, now: number): string | null;
}

export interface OneTimeKey {
  key: string;
  name: string;
  expiresAt: number;
}

export function createSignInLinks(keys: readonly OneTimeKey[] = []): SignInLinks {
  const unused = new Map(keys.map((one) => [one.key, one]));
  return {
    redeem(oneTimeKey, now) {
      const found = unused.get(oneTimeKey);
      unused.delete(oneTimeKey);
      return found === undefined || found.expiresAt <= now ? null : found.name;
    },
  };
}
