import type { Socket } from 'node:net';

/** One direction of a connection through a door, which is a TCP proxy for tests. */
export interface Carrier {
  /** While true, nothing passes, not even the end of the connection. */
  hold(isHeld: boolean): void;
}

type Waiting = { chunk: Buffer | 'end'; dueAt: number };

const maxWaitingBytes = 4 << 20;

/**
 * Forwards the bytes of one socket to the other, in order. `delayMs` is called for each chunk and gives its delay.
 */
export function carry(from: Socket, to: Socket, delayMs: () => number): Carrier {
  const waiting: Waiting[] = [];
  let waitingBytes = 0;
  let isHeld = false;
  let isFull = false;
  let timer: NodeJS.Timeout | undefined;

  function take(chunk: Buffer | 'end'): void {
    waiting.push({ chunk, dueAt: Math.max(Date.now() + delayMs(), waiting.at(-1)?.dueAt ?? 0) });
    waitingBytes += chunk.length;
    handOn();
  }

  function handOn(): void {
    clearTimeout(timer);
    for (let first = waiting[0]; first && first.dueAt <= Date.now() && !isHeld; first = waiting[0]) {
      waiting.shift();
      waitingBytes -= first.chunk.length;
      if (first.chunk === 'end') to.end();
      else isFull = !to.write(first.chunk);
    }
    if (waiting[0] && !isHeld) timer = setTimeout(handOn, waiting[0].dueAt - Date.now());
    if (isHeld || isFull || waitingBytes > maxWaitingBytes) from.pause();
    else from.resume();
  }

  from.on('data', take);
  from.on('end', () => take('end'));
  // The close event follows an error and is handled below.
  from.on('error', () => undefined);
  from.on('close', () => {
    // After a regular end the other direction continues; after a broken connection the other side is closed too.
    if (from.readableEnded) return;
    clearTimeout(timer);
    to.destroy();
  });
  to.on('drain', () => {
    isFull = false;
    handOn();
  });
  return {
    hold(held) {
      isHeld = held;
      handOn();
    },
  };
}
