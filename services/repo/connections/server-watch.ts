import { type Connection, createConnection } from 'mysql2';
import type { Logger } from '../../../lib/log.ts';
import { unavailable } from './database-errors.ts';

/**
 * Tells whether a database server answers, so that callers of one that does not are refused at once, and what concerns
 * other databases goes on.
 */
export type ServerWatch = {
  isDown(): boolean;
  /** Must be called when the server has answered anything. */
  answered(): void;
  /** The outcome of `read`, or UNAVAILABLE as soon as the server counts as down. */
  whileUp<T>(read: () => Promise<T>): Promise<T>;
  /** From now on the server is at another address. */
  move(url: string): void;
  stop(): void;
};

const everyMs = 300;
/** A server that gives no answer for this long is down. A read then fails within 2 s, as callers are promised. */
const silentMs = 1300;

/**
 * Watches a server by small statements over a connection of its own. A server that refuses connections is down at
 * once. One that is silent, because it hangs or the network is cut, is down when it has answered nobody for `silentMs`:
 * under load its answers are late and not missing.
 */
export function watchServer(options: {
  url: string;
  log: Logger;
  /** Called when the server goes down. Statements that are still running may never end. */
  onDown: () => void;
}): ServerWatch {
  const { log } = options;
  let url = options.url;
  let connection: Connection | undefined;
  let down = false;
  let stopped = false;
  let answeredAt = performance.now();
  const reads = new Set<(error: Error) => void>();

  async function look(): Promise<void> {
    const begunAt = performance.now();
    const asked = url;
    try {
      await unlessSilent(ask(), () => performance.now() - Math.max(begunAt, answeredAt) >= silentMs);
      if (asked !== url) return;
      answeredAt = performance.now();
      if (down) log.info('a database server answers again');
      down = false;
    } catch (error) {
      disconnect();
      if (asked !== url || down || stopped) return;
      // Only this connection was lost if the server has answered others since.
      if (!(error instanceof SilentError) && answeredAt > begunAt) return;
      down = true;
      log.error({ err: error }, 'a database server does not answer: its callers are refused until it does');
      options.onDown();
      for (const abort of reads) abort(unavailable(error));
    }
  }

  async function ask(): Promise<void> {
    connection ??= connect();
    const current = connection;
    await new Promise<void>((resolve, reject) => {
      current.query('SELECT 1', (error) => (error ? reject(error) : resolve()));
    });
  }

  function connect(): Connection {
    const opened = createConnection({ uri: url, connectTimeout: silentMs });
    // Without a listener an error of an idle connection would end the process.
    opened.on('error', () => {
      if (connection === opened) disconnect();
    });
    return opened;
  }

  function disconnect(): void {
    connection?.destroy();
    connection = undefined;
  }

  let timer: NodeJS.Timeout | undefined;
  const run = async (): Promise<void> => {
    await look();
    if (!stopped) timer = setTimeout(run, everyMs).unref();
  };
  void run();

  return {
    isDown: () => down,
    answered() {
      answeredAt = performance.now();
    },
    whileUp(read) {
      if (down) return Promise.reject(unavailable());
      return new Promise((resolve, reject) => {
        reads.add(reject);
        read()
          .then(resolve, reject)
          .finally(() => reads.delete(reject));
      });
    },
    move(next) {
      url = next;
      down = false;
      disconnect();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
      disconnect();
    },
  };
}

class SilentError extends Error {}

const checkEveryMs = 100;

/** The outcome of `answer`, or a SilentError as soon as `isSilent`. */
function unlessSilent(answer: Promise<void>, isSilent: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const check = (): void => {
      if (isSilent()) end(() => reject(new SilentError(`no answer within ${silentMs} ms`)));
    };
    // After a pause of this process its timers run before its sockets are read: an answer has two turns to arrive.
    const timer = setInterval(() => setImmediate(() => setImmediate(check)), checkEveryMs);
    const end = (settle: () => void): void => {
      clearInterval(timer);
      settle();
    };
    answer.then(
      () => end(resolve),
      (error: unknown) => end(() => reject(error)),
    );
  });
}
