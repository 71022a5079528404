// Room: what keeps the model in step with the server: the connection, catching up, sending, telling what was read. It
// knows the model and the transport, and nothing of the surface that applications see.

import { backoffMs, type Pause, pause } from '../transport/backoff.ts';
import { asGoChatError, GoChatError } from '../transport/errors.ts';
import type { Socket } from '../transport/socket.ts';
import { SessionEnded } from '../transport/tokens.ts';

/** `retryAt`, in Unix milliseconds, is when the client tries again. */
export interface Connection {
  state: 'connecting' | 'online' | 'offline' | 'ended';
  reason?: string;
  retryAt?: number;
}

export interface ConnectionLoop {
  start(): void;
  /** Closes the socket. Resolves when nothing of this connection runs any more. */
  stop(): Promise<void>;
  /** Ends the session: nothing is tried again. */
  end(reason: string): void;
  /** Something suggests that the network is back or gone, or that the device has woken up. */
  wake(): void;
}

const signedOut = 4001;
const draining = 4003;
/** After these the network is not to blame: the server wants this client to come back more slowly. */
const slowDown = new Set([4002, 4004, 4005, 1009, 1013]);

/**
 * Opens a socket, lets the client catch up, and opens another one whenever it breaks: after a random part of 1, 2, 4, …
 * 30 seconds, at once when `wake` says so.
 */
export function createConnectionLoop(deps: {
  /** Opens a socket; resolves after `welcome`. */
  open(signal: AbortSignal): Promise<Socket>;
  /** Runs on every new socket before it counts as online. */
  catchUp(socket: Socket, signal: AbortSignal): Promise<void>;
  onState(connection: Connection): void;
  onClosed(): void;
  random(): number;
}): ConnectionLoop {
  const { random, onState } = deps;
  let running: AbortController | undefined;
  let loop: Promise<void> = Promise.resolve();
  let waiting: Pause | undefined;
  let socket: Socket | undefined;
  let failures = 0;

  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { waitMs, reason, ended } = await connectOnce(signal);
      if (signal.aborted) return;
      if (ended) {
        running = undefined;
        onState({ state: 'ended', reason });
        return;
      }
      onState({ state: 'offline', reason, retryAt: Date.now() + waitMs });
      waiting = pause(waitMs);
      await waiting.ended;
      waiting = undefined;
    }
  }

  /** One socket from its opening to its end. Nothing that was begun for it goes on behind its end. */
  async function connectOnce(
    signal: AbortSignal,
  ): Promise<{ waitMs: number; reason: string; ended?: boolean }> {
    onState({ state: 'connecting' });
    const own = new AbortController();
    const abort = () => own.abort();
    signal.addEventListener('abort', abort);
    // A call that hangs must not hold up the end.
    const stopped = new Promise<never>((_, reject) => own.signal.addEventListener('abort', reject));
    stopped.catch(() => {});
    try {
      socket = await Promise.race([deps.open(own.signal), stopped]);
      const { closed } = socket;
      const broken = closed.then(({ code, reason }) => {
        throw new GoChatError(`CLOSED_${code}`, reason, true);
      });
      broken.catch(() => {});
      await Promise.race([deps.catchUp(socket, own.signal), broken, stopped]);
      onState({ state: 'online' });
      const { code } = await closed;
      if (!slowDown.has(code)) failures = 0;
      return afterClose(code);
    } catch (error) {
      if (error instanceof SessionEnded) return { waitMs: 0, reason: error.code, ended: true };
      const known = asGoChatError(error);
      const code = Number(known.code.replace('CLOSED_', ''));
      if (code > 0) return afterClose(code);
      const waitMs = Math.max(known.retryAfterMs ?? 0, nextWaitMs());
      return { waitMs, reason: known.code };
    } finally {
      signal.removeEventListener('abort', abort);
      own.abort();
      socket?.close();
      socket = undefined;
      deps.onClosed();
    }
  }

  function afterClose(code: number): { waitMs: number; reason: string; ended?: boolean } {
    if (code === signedOut) return { waitMs: 0, reason: 'signed-out', ended: true };
    if (code === draining) return { waitMs: random() * 900, reason: 'draining' };
    return { waitMs: nextWaitMs(), reason: `closed ${code}` };
  }

  function nextWaitMs(): number {
    const longest = backoffMs(failures);
    failures += 1;
    return random() * longest;
  }

  return {
    start() {
      if (running) return;
      running = new AbortController();
      failures = 0;
      const { signal } = running;
      loop = loop.then(() => run(signal));
    },
    async stop() {
      running?.abort();
      running = undefined;
      waiting?.end();
      socket?.close();
      await loop;
    },
    end(reason) {
      running?.abort();
      running = undefined;
      waiting?.end();
      socket?.close();
      onState({ state: 'ended', reason });
    },
    wake() {
      waiting?.end();
      // A browser that says so is offline: the socket would only look open.
      if (globalThis.navigator?.onLine === false) socket?.close(4000);
      else socket?.check();
    },
  };
}
