import type { Chat, Data } from './people.ts';

/** The number of sends that a session may burst is far above what a stream of a test needs. */
export type MessageStream = {
  /** Resolves when so many more have been acknowledged. */
  more(count: number): Promise<void>;
  /** Resolves with the seq ids of all that was acknowledged, in the order sent, when the last one is. */
  stop(): Promise<number[]>;
};

/**
 * Messages without a break to one conversation: the sockets take turns, and one message follows the other's
 * acknowledgement. `stop` rejects when one was refused.
 */
export function streamMessages(sockets: readonly Chat[], conversationId: string): MessageStream {
  const seqs: number[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  let over = false;

  async function run(): Promise<void> {
    for (let n = 0; !over; n += 1) {
      const socket = sockets[n % sockets.length];
      const ack: Data = await socket?.say(conversationId, `message ${n}`);
      seqs.push(ack.seqId);
      for (const { count, resolve } of waiting) if (seqs.length >= count) resolve();
    }
  }
  const running = run();
  running.catch(() => undefined);

  return {
    more: (count) =>
      Promise.race([
        new Promise<void>((resolve) => waiting.push({ count: seqs.length + count, resolve })),
        running,
      ]),
    async stop() {
      over = true;
      await running;
      return seqs;
    },
  };
}
