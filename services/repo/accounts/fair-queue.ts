import { GoChatError } from '../../../lib/errors.ts';

export type FairQueue = {
  /** Runs the work when its turn comes. Throws UNAVAILABLE if the queue is full. */
  run<T>(queueKey: QueueKey, work: () => Promise<T>): Promise<T>;
  waiting(): number;
};

/** The round-robin key of a work item: the queue rotates between addresses, then between the accounts of an address. */
export type QueueKey = { address: string; account: string };

type Waiter = { start: () => void; refuse: () => void };
type Accounts = Map<string, Waiter[]>;

/**
 * Runs a few work items at a time and serves the waiting ones round-robin, so that one item does not wait for a hundred
 * of another caller. When the queue is full, an item of the address with the most waiting items is refused: the last
 * one of that address's busiest account.
 */
export function createFairQueue(options: { concurrency: number; maxWaiting: number }): FairQueue {
  const { concurrency, maxWaiting } = options;
  const addresses = new Map<string, Accounts>();
  let running = 0;
  let waiting = 0;

  /** Takes the next waiter in both rotations. The served account and address move to the end. */
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

  /** Refuses a waiter to make room. Returns false if no address has more waiters than the newcomer's would have. */
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
        // A finished item starts the next waiter, so `running` does not change here.
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

const full = () =>
  new GoChatError('UNAVAILABLE', 'Too many users are signing in right now. Try again shortly.');
