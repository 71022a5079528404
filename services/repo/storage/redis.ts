import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { withDeadline } from '../../../lib/async/deadline.ts';
import { jittered } from '../../../lib/async/retry.ts';
import type { Logger } from '../../../lib/log.ts';
import type { Metrics } from '../../../lib/metrics.ts';

export type LuaScript = { readonly name: string; readonly source: string; readonly sha: string };

export type RedisStore = {
  /** Returns the script's reply, or undefined while Redis is not reachable. */
  run(script: LuaScript, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown>;
  /** False while Redis is bypassed and every call returns undefined at once. */
  isUp(): boolean;
  /** Registers a repair that runs each time before Redis is used (again). It makes up for writes that Redis missed. */
  beforeUse(repair: Repair): void;
  close(): Promise<void>;
};

/**
 * `reconnected` is true if the connection is new: the server may be another one, or may have restarted with old data.
 */
export type Repair = (run: RedisStore['run'], context: { reconnected: boolean }) => Promise<void>;

/** Loads `name`.lua from the folder of the module at `moduleUrl`, preceded by the scripts that it builds on. */
export function luaScript(moduleUrl: string, name: string, ...after: string[]): LuaScript {
  const source = [...after, name]
    .map((file) => readFileSync(new URL(`./${file}.lua`, moduleUrl), 'utf8'))
    .join('\n');
  return { name, source, sha: createHash('sha1').update(source).digest('hex') };
}

const defaultCommandTimeoutMs = 250;
const probeTimeoutMs = 3000;
const probeEveryMs = 250;
const timedOut = Symbol('down');
const onTimeout = (): typeof timedOut => timedOut;

/**
 * One connection to Redis behind a circuit breaker. The first call that meets a dead or frozen server waits for at most
 * `commandTimeoutMs`. Later calls return undefined at once until a background probe finds the server again. No call
 * rejects: callers continue without Redis.
 */
export function createRedis(options: {
  url: string;
  log: Logger;
  metrics: Metrics;
  commandTimeoutMs?: number | undefined;
}): RedisStore {
  const { log, commandTimeoutMs = defaultCommandTimeoutMs } = options;
  const client = new Redis(options.url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: 2000,
    retryStrategy: (attempt) => jittered(Math.min(25 * attempt, 250)),
  });
  options.metrics.observed('gochat_redis_up', 'Whether Redis is in use: 1, or 0 while it is bypassed.', () =>
    state === 'up' ? 1 : 0,
  );
  const repairs: Repair[] = [];
  let state: 'up' | 'down' | 'closed' = 'down';
  /** While repairs run, callers wait for them, so that no call runs between a repair and the switch to `up`. */
  let repairing: Promise<boolean> | undefined;
  let probing = false;
  let reconnected = true;

  const isUp = () => state === 'up';

  const call = async (
    { sha, source }: LuaScript,
    keys: readonly string[],
    args: readonly (string | number)[],
  ) => {
    try {
      return await client.evalsha(sha, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return client.eval(source, keys.length, ...keys, ...args);
    }
  };

  const trip = (error: unknown) => {
    if (state !== 'up') return;
    state = 'down';
    log.warn({ err: error }, 'Redis is not reachable: calls bypass it');
    scheduleProbe();
  };

  const scheduleProbe = () => {
    if (state === 'down') setTimeout(() => void probe(), probeEveryMs).unref();
  };

  async function probe(): Promise<void> {
    if (probing || state !== 'down') return;
    probing = true;
    try {
      if (client.status !== 'ready') return;
      if ((await withDeadline(client.ping(), probeTimeoutMs, onTimeout)) === timedOut) {
        // The reply may never come (a half-open connection), so open a new connection.
        client.disconnect(true);
        return;
      }
      repairing = repair();
      if ((await repairing) && state === 'down' && client.status === 'ready') {
        state = 'up';
        reconnected = false;
        log.info('Redis is in use');
      }
    } catch (error) {
      log.warn({ err: error }, 'Redis gave an unexpected answer');
    } finally {
      probing = false;
      repairing = undefined;
      scheduleProbe();
    }
  }

  async function repair(): Promise<boolean> {
    try {
      const run: RedisStore['run'] = (script, keys, args) => call(script, keys, args);
      const all = Promise.all(repairs.map((one) => one(run, { reconnected })));
      return (await withDeadline(all, commandTimeoutMs * 2, onTimeout)) !== timedOut;
    } catch (error) {
      log.warn({ err: error }, 'Redis cannot be used yet');
      return false;
    }
  }

  client.on('ready', () => void probe());
  client.on('close', () => {
    reconnected = true;
    trip(new Error('connection closed'));
  });
  client.on('error', (error: unknown) => log.debug({ err: error }, 'Redis connection failed'));
  scheduleProbe();

  return {
    async run(script, keys, args) {
      if (state !== 'up') {
        await repairing;
        if (!isUp()) return undefined;
      }
      try {
        const reply = await withDeadline(call(script, keys, args), commandTimeoutMs, onTimeout);
        if (reply !== timedOut) return reply;
        trip(new Error(`${script.name} took longer than ${commandTimeoutMs} ms`));
      } catch (error) {
        trip(error);
      }
      return undefined;
    },
    isUp,
    beforeUse: (one) => void repairs.push(one),
    async close() {
      const wasUp = isUp();
      state = 'closed';
      if (wasUp) await withDeadline(client.quit(), commandTimeoutMs, onTimeout).catch(() => undefined);
      client.disconnect();
    },
  };
}
