import { Context } from '@temporalio/activity';

const intervalMs = 5000;

/** Does work whose calls take long, with a heartbeat every five seconds: a dead worker is noticed soon. */
export async function withHeartbeat<T>(work: () => Promise<T>): Promise<T> {
  const context = Context.current();
  const beating = setInterval(() => context.heartbeat(), intervalMs);
  try {
    return await work();
  } finally {
    clearInterval(beating);
  }
}
