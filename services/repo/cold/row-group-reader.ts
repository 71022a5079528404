import { LRUCache } from 'lru-cache';
import pLimit from 'p-limit';
import { withDeadline } from '../../../lib/async/deadline.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { Logger } from '../../../lib/log.ts';
import type { Metrics } from '../../../lib/metrics.ts';
import type { ObjectStore } from '../store/store.ts';
import type { ArchivedMessage } from './archived-message.ts';
import type { StoredRowGroup } from './cold-segments.ts';
import { readRowGroup, sha256 } from './parquet-file.ts';

/** Bounds the memory of decoded row groups. */
const cacheBytes = 32 * 1024 * 1024;
/** Besides its texts, a row in memory takes about this much. */
const bytesPerRow = 400;
/** Neighbouring row groups are read by one request, up to this size. */
const requestBytes = 8 * 1024 * 1024;
const bodyDeadlineMs = 4000;
const requestsAtOnce = 16;
const maxWaiting = 1000;

/** Why an object does not have what the database says that it has. */
export class ColdObjectFault extends Error {
  override readonly name = 'ColdObjectFault';
  readonly kind: 'missing' | 'damaged' | 'gap';

  constructor(kind: 'missing' | 'damaged' | 'gap', sentence: string) {
    super(sentence);
    this.kind = kind;
  }
}

export type RowGroupReader = {
  /**
   * The messages of row groups, in the given order. Neighbours in an object are read by one request, and callers of one
   * moment share it. Rejects with ColdObjectFault or UNAVAILABLE.
   */
  read(groups: readonly StoredRowGroup[], options?: { keep?: boolean }): Promise<ArchivedMessage[][]>;
};

const keyOf = ({ objectKey, rowGroup }: StoredRowGroup): string => `${objectKey} ${rowGroup}`;

/** Reads row groups from the store and keeps the last ones in memory. What is read is compared with its hash. */
export function createRowGroupReader(deps: {
  store: Pick<ObjectStore, 'get'>;
  log: Logger;
  metrics: Metrics;
}): RowGroupReader {
  const { store, metrics } = deps;
  const requests = metrics.counter('gochat_cold_requests_total', 'Requests for parts of cold objects.');
  const reads = metrics.counter(
    'gochat_cold_row_groups_total',
    'Row groups of cold objects, by where they were found.',
    ['from'],
  );
  const kept = new LRUCache<string, ArchivedMessage[]>({
    maxSize: cacheBytes,
    sizeCalculation: (rows) =>
      rows.reduce((bytes, { content, extra, reactions }) => {
        const texts = content.length + (extra?.length ?? 0) + (reactions?.length ?? 0);
        return bytes + bytesPerRow + 2 * texts;
      }, 1),
  });
  metrics.observed(
    'gochat_cold_cache_bytes',
    'Estimated memory of kept row groups.',
    () => kept.calculatedSize,
  );
  const inFlight = new Map<string, Promise<ArchivedMessage[]>>();
  const limit = pLimit(requestsAtOnce);

  async function fetchBytes(objectKey: string, start: number, length: number): Promise<Buffer> {
    requests.inc();
    const signal = new AbortController();
    try {
      const found = await store.get(objectKey, { start, end: start + length - 1 }, { signal: signal.signal });
      if (!found) throw new ColdObjectFault('missing', `the object ${objectKey} is missing`);
      const bytes = await withDeadline(collect(found.body), bodyDeadlineMs, () => {
        throw new GoChatError('UNAVAILABLE', 'The store of old messages is too slow right now. Try again.');
      });
      if (bytes.length !== length) throw new ColdObjectFault('damaged', `the object ${objectKey} is cut`);
      return bytes;
    } catch (error) {
      signal.abort();
      if (error instanceof RangeError) throw new ColdObjectFault('damaged', `the object ${objectKey} is cut`);
      throw error;
    }
  }

  /** Reads neighbouring row groups of an object. */
  function fetch(run: readonly StoredRowGroup[], keep: boolean): Promise<ArchivedMessage[]>[] {
    const [first] = run;
    if (!first) return [];
    const length = run.reduce((sum, { byteLength }) => sum + byteLength, 0);
    const bytes = limit(() => fetchBytes(first.objectKey, first.byteStart, length));
    return run.map((group) => {
      const key = keyOf(group);
      const rows = bytes
        .then((all) =>
          decode(all.subarray(group.byteStart - first.byteStart).subarray(0, group.byteLength), group),
        )
        .then((decoded) => {
          if (keep) kept.set(key, decoded);
          return decoded;
        })
        .finally(() => inFlight.delete(key));
      inFlight.set(key, rows);
      return rows;
    });
  }

  return {
    async read(groups, { keep = true } = {}) {
      const unread = new Map<string, StoredRowGroup>();
      const found = new Map<string, ArchivedMessage[] | Promise<ArchivedMessage[]>>();
      for (const group of groups) {
        const key = keyOf(group);
        const known = kept.get(key) ?? inFlight.get(key);
        reads.inc({ from: known ? 'memory' : 'store' });
        if (known) found.set(key, known);
        else unread.set(key, group);
      }
      if (unread.size > 0 && limit.pendingCount >= maxWaiting) {
        throw new GoChatError('UNAVAILABLE', 'Too many old messages are being read right now. Try again.');
      }
      for (const run of neighbours([...unread.values()])) {
        const fetched = fetch(run, keep);
        run.forEach((group, index) => {
          const rows = fetched[index];
          if (rows) found.set(keyOf(group), rows);
        });
      }
      // Every promise is awaited, so that none rejects unseen.
      const settled = await Promise.allSettled(groups.map((group) => found.get(keyOf(group)) ?? []));
      return settled.map((outcome) => {
        if (outcome.status === 'rejected') throw outcome.reason;
        return outcome.value;
      });
    },
  };
}

/** Divides row groups into those that one request can read. */
function neighbours(groups: readonly StoredRowGroup[]): StoredRowGroup[][] {
  const sorted = groups.toSorted(
    (a, b) =>
      (a.objectKey < b.objectKey ? -1 : a.objectKey > b.objectKey ? 1 : 0) || a.byteStart - b.byteStart,
  );
  const runs: StoredRowGroup[][] = [];
  let bytes = 0;
  for (const group of sorted) {
    const run = runs.at(-1);
    const last = run?.at(-1);
    const isNext =
      last !== undefined &&
      last.objectKey === group.objectKey &&
      last.byteStart + last.byteLength === group.byteStart &&
      bytes + group.byteLength <= requestBytes;
    if (run && isNext) run.push(group);
    else runs.push([group]);
    bytes = isNext ? bytes + group.byteLength : group.byteLength;
  }
  return runs;
}

async function collect(body: AsyncIterable<unknown>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of body) parts.push(part as Buffer);
  return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
}

async function decode(bytes: Buffer, group: StoredRowGroup): Promise<ArchivedMessage[]> {
  if (!sha256(bytes).equals(group.sha256)) {
    throw new ColdObjectFault(
      'damaged',
      `row group ${group.rowGroup} of the object ${group.objectKey} is damaged`,
    );
  }
  return readRowGroup(bytes, group);
}
