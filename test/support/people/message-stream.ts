import type { Chat, Data } from './people.ts';

/** A stream of messages. Its rate is far below the limit of frames per second of a session. */
export type MessageStream = {
  /** Resolves when `count` more messages are acknowledged. */
  more(count: number): Promise<void>;
  /** Stops sending; resolves to the seq ids of all messages in the order sent, when the last one is acknowledged. */
  stop(): Promise<number[]>;
};

/**
 * Sends messages to one conversation without a pause. The sockets send alternately, each message after the
 * acknowledgement of the previous one. `stop` rejects if a message was refused.
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
