import type { ServerFrame } from '../model/input.ts';
import type { ClientFrames } from '../wire/wire.ts';
import { unreachable } from './errors.ts';

/** The part of the WebSocket standard that the client uses. */
export type WebSocketLike = new (
  url: string,
  protocols: string[],
) => {
  send(text: string): void;
  close(code?: number, reason?: string): void;
  /** Every platform and library has event types of its own. */
  addEventListener(type: 'open' | 'message' | 'close' | 'error', listener: (event: unknown) => void): void;
};

export interface Closed {
  code: number;
  reason: string;
}

export interface Socket {
  send<T extends keyof ClientFrames>(type: T, data?: ClientFrames[T]): void;
  /** Closes the socket. `closed` resolves at once, even if the network is gone. */
  close(code?: number): void;
  readonly closed: Promise<Closed>;
  /** Asks the server for a sign of life, and closes the socket if none comes soon. */
  check(): void;
}

const welcomeDeadlineMs = 15_000;
const pongDeadlineMs = 5_000;
/** How often the timers look at the clock. A much later look means that the device slept. */
const tickMs = 1_000;
const sleptMs = 5_000;

/**
 * Opens a socket and resolves after the server's `welcome`. `onFrame` gets every later frame. A server that falls silent
 * counts as gone. Rejects if the server cannot be reached or refuses; a browser does not tell which.
 */
export function openSocket(options: {
  url: string;
  token: string;
  WebSocket: WebSocketLike;
  onFrame(frame: ServerFrame): void;
  signal: AbortSignal;
}): Promise<Socket> {
  const { url, token, onFrame, signal } = options;
  const socket = new options.WebSocket(`${url.replace(/^http/, 'ws').replace(/\/$/, '')}/ws`, [
    'gochat.v1',
    `bearer.${token}`,
  ]);
  let heartbeatMs = 30_000;
  let pingedAt = Date.now();
  let lookedAt = Date.now();
  /** When the server must have been heard of; undefined while nothing is asked. */
  let dueAt: number | undefined = Date.now() + welcomeDeadlineMs;
  let isOpen = false;
  let isOver = false;
  let tellClosed: (closed: Closed) => void = () => {};
  const closed = new Promise<Closed>((resolve) => {
    tellClosed = resolve;
  });

  function over(told: Closed): void {
    if (isOver) return;
    isOver = true;
    clearInterval(ticker);
    signal.removeEventListener('abort', abort);
    tellClosed(told);
  }

  function close(code = 1000, reason = ''): void {
    over({ code, reason });
    try {
      socket.close(code);
    } catch {
      // Some implementations refuse to close before they are open.
    }
  }

  function ping(): void {
    pingedAt = Date.now();
    if (isOpen && !isOver) socket.send('{"type":"ping"}');
  }

  function check(): void {
    dueAt ??= Date.now() + pongDeadlineMs;
    ping();
  }

  function tick(): void {
    const now = Date.now();
    if (now - lookedAt > sleptMs && isOpen) {
      dueAt = now + pongDeadlineMs;
      ping();
    }
    lookedAt = now;
    if (dueAt !== undefined && now >= dueAt) close(4000, 'silent');
    else if (isOpen && now - pingedAt >= heartbeatMs) check();
  }

  const abort = () => close(1000, 'aborted');
  const ticker = setInterval(tick, tickMs);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort);

  const opened: Socket = {
    send(type, data) {
      if (!isOver) socket.send(JSON.stringify({ type, data }));
    },
    close,
    closed,
    check,
  };
  return new Promise((resolve, reject) => {
    closed.then(({ code, reason }) => reject(unreachable(`closed: ${code} ${reason}`)));
    socket.addEventListener('close', (event) => {
      const { code, reason } = event as Partial<Closed>;
      over({ code: code ?? 1006, reason: String(reason ?? '') });
    });
    // A close event follows.
    socket.addEventListener('error', () => {});
    socket.addEventListener('message', (event) => {
      if (isOver) return;
      const { data } = event as { data?: unknown };
      dueAt = undefined;
      let frame: ServerFrame;
      try {
        frame = JSON.parse(String(data));
      } catch {
        return;
      }
      if (isOpen) return onFrame(frame);
      if (frame.type !== 'welcome') return;
      isOpen = true;
      heartbeatMs = Math.min(heartbeatMs, frame.data.heartbeatMs || heartbeatMs);
      pingedAt = Date.now();
      resolve(opened);
    });
  });
}
