import { withDeadline } from '../../../lib/async/deadline.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { Logger } from '../../../lib/log.ts';
import type { Metrics } from '../../../lib/metrics.ts';
import { createCircuitBreaker } from './circuit-breaker.ts';
import { isCallersFault, type ObjectStore } from './store.ts';

const defaultDeadlineMs = 5000;
/** What a body may take in addition to the deadline: it must move at this pace at least. */
const slowestBytesPerSecond = 256 * 1024;

/**
 * Adds to a store what every call needs: a deadline, a circuit breaker, metrics, and UNAVAILABLE as the one error for a
 * store that does not work. `name` is the value of the metrics' label `store`.
 */
export function guardStore(
  store: ObjectStore,
  { name, log, metrics, deadlineMs = defaultDeadlineMs }: GuardOptions,
): ObjectStore {
  const breaker = createCircuitBreaker({ failures: 5, pauseMs: 2000 });
  const duration = metrics.latency(
    'gochat_store_duration_seconds',
    'Time of calls to stores of objects. A get ends when its body begins.',
    ['store', 'operation', 'outcome'],
  );
  metrics.observedBy(
    'gochat_store_up',
    'Whether a store of objects works: 1, or 0 after failed calls.',
    'store',
    () => [[name, breaker.isOpen() ? 0 : 1]],
  );

  function fail(operation: string, error: unknown): never {
    if (isCallersFault(error)) throw error;
    if (!breaker.isOpen())
      log.warn({ err: error, store: name, operation }, 'a store of objects does not work');
    breaker.failed();
    throw unavailable(error);
  }

  async function call<T>(operation: string, ms: number, work: () => Promise<T>): Promise<T> {
    if (!breaker.mayTry()) throw unavailable();
    const end = duration.startTimer({ store: name, operation });
    try {
      const result = await withDeadline(work(), ms, () => {
        throw new Error(`the store gave no answer within ${ms} ms`);
      });
      breaker.succeeded();
      end({ outcome: 'ok' });
      return result;
    } catch (error) {
      end({ outcome: 'error' });
      return fail(operation, error);
    }
  }

  return {
    async put(key, body, about) {
      const ms = deadlineMs + (about.size / slowestBytesPerSecond) * 1000;
      try {
        return await call('put', ms, () => store.put(key, body, about));
      } finally {
        // Also ends a write that is late.
        if (!(body instanceof Uint8Array)) body.destroy();
      }
    },
    async get(key, part, { signal } = {}) {
      // Ends the work when the deadline has passed, and the body when the caller gives up.
      const late = new AbortController();
      const signals = signal ? AbortSignal.any([signal, late.signal]) : late.signal;
      const begin = async () => {
        const found = await store.get(key, part, { signal: signals });
        // Without a listener, the error of a body that nobody reads any more would end the process.
        found?.body.on('error', (error) => {
          if (!signals.aborted) log.warn({ err: error, store: name }, 'the body of an object broke off');
        });
        return found;
      };
      try {
        return await call('get', deadlineMs, begin);
      } catch (error) {
        late.abort();
        throw error;
      }
    },
    head: (key) => call('head', deadlineMs, () => store.head(key)),
    delete: (key) => call('delete', deadlineMs, () => store.delete(key)),
    async *list(prefix) {
      const listed = store.list(prefix)[Symbol.asyncIterator]();
      try {
        while (true) {
          const next = await call('list', deadlineMs, () => listed.next());
          if (next.done) return;
          yield next.value;
        }
      } finally {
        await listed.return?.();
      }
    },
    close: () => store.close(),
  };
}

export type GuardOptions = { name: string; log: Logger; metrics: Metrics; deadlineMs?: number };

function unavailable(cause?: unknown): GoChatError {
  const error = new GoChatError('UNAVAILABLE', 'The store of files is not reachable right now. Try again.');
  error.cause = cause;
  return error;
}
