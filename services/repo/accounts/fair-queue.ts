import { GoChatError } from '../../../lib/errors.ts';

export type FairQueue = {
  /** Does the work when it is its queueKey. UNAVAILABLE when too many wait already. */
  run<T>(queueKey: QueueKey, work: () => Promise<T>): Promise<T>;
  waiting(): number;
};

/** On whose behalf: addresses take turns, and accounts of one address among themselves. */
export type QueueKey = { address: string; account: string };

type Waiter = { start: () => void; refuse: () => void };
type Accounts = Map<string, Waiter[]>;

/**
 * A few at a time; the rest waits, and whoever waits alone does not wait for somebody's hundred. When the queue is full,
 * the last of whoever has most in it makes room.
 */
export function createFairQueue(options: { concurrency: number; maxWaiting: number }): FairQueue {
  const { concurrency, maxWaiting } = options;
  const addresses = new Map<string, Accounts>();
  let running = 0;
  let waiting = 0;

  /** Whose queueKey it is, in both rounds: who is served goes to the end. */
  function next(): Waiter | undefined {
    for (const [address, accounts] of addresses) {
      addresses.delete(address);
      for (const [account, waiters] of accounts) {
        accounts.delete(account);
        const waiter = waiters.shift();
        if (waiters.length > 0) accounts.set(account, waiters);
        if (accounts.size > 0) addresses.set(address, accounts);
        waiting -= 1;
        return waiter;
      }
    }
    return undefined;
  }

  function add({ address, account }: QueueKey, waiter: Waiter): void {
    const accounts = addresses.get(address) ?? new Map<string, Waiter[]>();
    const waiters = accounts.get(account) ?? [];
    waiters.push(waiter);
    accounts.set(account, waiters);
    addresses.set(address, accounts);
    waiting += 1;
  }

  /** False when nobody has more in the queue than the newcomer would have. */
  function makeRoom(newcomer: QueueKey): boolean {
    const own = countOf(addresses.get(newcomer.address));
    const [address = '', accounts] = [...addresses].sort(([, a], [, b]) => countOf(b) - countOf(a))[0] ?? [];
    if (!accounts || countOf(accounts) <= own + 1) return false;
    const [account = '', waiters] = [...accounts].sort(([, a], [, b]) => b.length - a.length)[0] ?? [];
    waiters?.pop()?.refuse();
    if (waiters?.length === 0) accounts.delete(account);
    if (accounts.size === 0) addresses.delete(address);
    waiting -= 1;
    return true;
  }

  return {
    waiting: () => waiting,
    async run(queueKey, work) {
      if (running < concurrency) {
        running += 1;
      } else {
        if (waiting >= maxWaiting && !makeRoom(queueKey)) throw full();
        // Whoever finishes hands its place on.
        await new Promise<void>((start, reject) => add(queueKey, { start, refuse: () => reject(full()) }));
      }
      try {
        return await work();
      } finally {
        const waiter = next();
        if (waiter) waiter.start();
        else running -= 1;
      }
    },
  };
}

const countOf = (accounts: Accounts | undefined): number => {
  let count = 0;
  for (const waiters of accounts?.values() ?? []) count += waiters.length;
  return count;
};

const full = () => new GoChatError('UNAVAILABLE', 'Too many are signing in right now. Try again shortly.');
