import type { Socket } from 'node:net';

/** One direction of a connection through a door. */
export interface Carrier {
  /** While held, nothing passes, not even the news that a side has closed. */
  hold(isHeld: boolean): void;
}

type Waiting = { chunk: Buffer | 'end'; dueAt: number };

const mostWaitingBytes = 4 << 20;

/** Hands on what comes from one side to the other, in its order, each part as late as `delayMs` says when it comes. */
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
    if (isHeld || isFull || waitingBytes > mostWaitingBytes) from.pause();
    else from.resume();
  }

  from.on('data', take);
  from.on('end', () => take('end'));
  // The close event says what became of it.
  from.on('error', () => undefined);
  from.on('close', () => {
    // After an end the other side goes on; a side that broke off takes the other with it.
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
