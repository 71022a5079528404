import { GoChatError } from '@gochat/sdk';

const usualPatienceMs = 10_000;

interface Open {
  ended: Promise<void>;
  giveUp(): void;
}

/** The messages whose outcome is not known yet, so that the client does not end before them. */
export function createSends(patienceMs = usualPatienceMs) {
  const open = new Set<Open>();
  let allStored = true;

  return {
    /** Tells what becomes of a send: exactly one of the two functions is called. */
    follow<T>(sending: Promise<T>, tell: (result: T) => void, fail: (error: unknown) => void): void {
      const { promise, resolve, reject } = Promise.withResolvers<T>();
      const refuse = (error: unknown) => {
        allStored = false;
        fail(error);
      };
      const send = {
        ended: promise.then(tell, refuse).finally(() => open.delete(send)),
        giveUp: () => reject(new GoChatError('TIMEOUT', 'The message was not stored in time.')),
      };
      open.add(send);
      sending.then(resolve, reject);
    },
    openCount: () => open.size,
    /** Waits for the open sends, but not for ever. Returns whether all messages, also those before, were stored. */
    async settle(): Promise<boolean> {
      const timer = setTimeout(() => {
        for (const { giveUp } of open) giveUp();
      }, patienceMs);
      await Promise.all([...open].map(({ ended }) => ended));
      clearTimeout(timer);
      return allStored;
    },
  };
}
