import { monotonicMicros } from '../measure/clock.ts';
import { createHistogram } from '../measure/histogram.ts';
import { createSeqLedger, type SeqLedger } from '../measure/seq-ledger.ts';
import type { ConnectReport, SessionSpec } from './commands.ts';
import { type FrameSocket, openFrameSocket } from './frame-socket.ts';
import { createFrameReader, type IncomingFrame } from './frames.ts';

export type LoadSession = {
  spec: SessionSpec;
  socket: FrameSocket;
  ledgers: Map<string, SeqLedger>;
  /** True if this process closes the socket. */
  expectsClose: boolean;
  closed: Promise<void>;
  /** True if reading is paused: the session need not receive its messages. */
  hangs: boolean;
};

export type Sessions = ReturnType<typeof createSessions>;

const heartbeatMs = 30_000;
/** The heartbeats of all sockets are distributed over the interval in this many steps. */
const heartbeatSteps = 30;
const welcomeDeadlineMs = 60_000;
const ping = '{"type":"ping"}';

/** The sockets of one process. `onFrame` gets the frames after `welcome`. */
export function createSessions(onFrame: (session: LoadSession, frame: IncomingFrame) => void) {
  const sessions = new Map<number, LoadSession>();
  const closes: Record<string, number> = {};
  const readFrame = createFrameReader();
  let step = 0;
  setInterval(() => {
    step = (step + 1) % heartbeatSteps;
    for (const { spec, socket } of sessions.values()) {
      if (spec.key % heartbeatSteps === step) socket.send(ping);
    }
  }, heartbeatMs / heartbeatSteps).unref();

  /** Opens one socket; resolves after `welcome`. A reconnected session continues with its earlier ledgers. */
  function open(spec: SessionSpec, ledgers = ledgersOf(spec)): Promise<LoadSession> {
    const url = `${spec.gateway}/ws`;
    return new Promise((resolve, reject) => {
      let welcomed = false;
      const { promise: closed, resolve: onClosed } = Promise.withResolvers<void>();
      const deadline = setTimeout(() => {
        reject(new Error('no welcome in time'));
        socket.terminate();
      }, welcomeDeadlineMs);
      const socket = openFrameSocket(url, `gochat.v1, bearer.${spec.accessToken}`, {
        onText(bytes, from, to) {
          const frame = readFrame(bytes, from, to);
          if (welcomed) return onFrame(session, frame);
          if (frame.type !== 'welcome') return;
          welcomed = true;
          clearTimeout(deadline);
          sessions.set(spec.key, session);
          resolve(session);
        },
        onClose(code, reason) {
          clearTimeout(deadline);
          reject(new Error(reason || `closed with ${code} before welcome`));
          if (sessions.get(spec.key) === session) sessions.delete(spec.key);
          if (welcomed && !session.expectsClose) closes[code] = (closes[code] ?? 0) + 1;
          onClosed();
        },
      });
      const session: LoadSession = { spec, socket, ledgers, expectsClose: false, closed, hangs: false };
    });
  }

  return {
    open,
    all: () => [...sessions.values()],
    get: (key: number) => sessions.get(key),
    closes: () => closes,
    /** Opens sockets, `parallel` at a time. */
    async openAll(specs: readonly SessionSpec[], parallel: number): Promise<ConnectReport> {
      const latency = createHistogram();
      const failures: Record<string, number> = {};
      await inParallel(specs, parallel, async (spec) => {
        const startedAt = monotonicMicros();
        try {
          await open(spec);
          latency.record(monotonicMicros() - startedAt);
        } catch (error) {
          count(failures, (error as Error).message);
        }
      });
      return { opened: latency.count(), failures, latency: latency.data() };
    },
    /** Closes sockets; resolves when they are closed. `abruptly`: without a close frame. */
    async close(keys: readonly number[], abruptly: boolean): Promise<void> {
      const leaving = keys.map((key) => sessions.get(key)).filter((session) => session !== undefined);
      for (const session of leaving) {
        session.expectsClose = true;
        if (abruptly) session.socket.terminate();
        else session.socket.close(1000);
      }
      await Promise.all(leaving.map(({ closed }) => closed));
    },
  };
}

/** Calls a function with each item, a limited number at a time. */
export async function inParallel<T>(
  items: readonly T[],
  parallel: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < items.length) {
      const index = next;
      next += 1;
      await work(items[index] as T, index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallel, items.length) }, lane));
}

export function count(counts: Record<string, number>, name: string, by = 1): void {
  counts[name] = (counts[name] ?? 0) + by;
}

const ledgersOf = (spec: SessionSpec): Map<string, SeqLedger> =>
  new Map(spec.follows.map(([conversationId, head]) => [conversationId, createSeqLedger(head)]));
