// Tickets: a caller waits for the ends of all its jobs, which the queue reports one by one.

export interface Tickets<Key> {
  /** Resolves once this number of jobs has ended under the key. */
  take(key: Key, jobs: number): Promise<void>;
  end(key: Key): void;
}

export function createTickets<Key>(): Tickets<Key> {
  const open = new Map<Key, { left: number; resolve(): void }>();
  return {
    take(key, jobs) {
      const { promise, resolve } = Promise.withResolvers<void>();
      open.set(key, { left: jobs, resolve });
      return promise;
    },
    end(key) {
      const ticket = open.get(key);
      if (ticket === undefined) throw new Error(`nobody waits for the job that ended: ${key}`);
      if (--ticket.left > 0) return;
      open.delete(key);
      ticket.resolve();
    },
  };
}
