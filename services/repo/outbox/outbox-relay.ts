import { withDeadline } from '../../../lib/async/deadline.ts';
import { retry } from '../../../lib/async/retry.ts';
import { createSingleFlight } from '../../../lib/async/single-flight.ts';
import { createSleeper } from '../../../lib/async/sleeper.ts';
import { buildDeadRecord } from '../../../lib/kafka/dead-records.ts';
import type { Admin, KafkaConnection, Producer } from '../../../lib/kafka/kafka.ts';
import { withAdmin } from '../../../lib/kafka/kafka.ts';
import { countRecords } from '../../../lib/kafka/record-metrics.ts';
import { ensureSharedTopics, topics } from '../../../lib/kafka/topics.ts';
import type { Logger } from '../../../lib/log.ts';
import type { Metrics } from '../../../lib/metrics.ts';
import { isLocked } from '../connections/database-errors.ts';
import type { Database, Transaction } from '../storage/database.ts';
import type { Outbox } from './outbox.ts';
import { createOutboxBacklog, type OutboxBacklog } from './outbox-backlog.ts';

export type OutboxRelay = Outbox & {
  /** Resolves to true if Kafka answers. */
  ready(): Promise<boolean>;
  /** Resolves when the batch in flight is acknowledged and deleted, or after `stopDeadlineMs`. */
  stop(): Promise<void>;
};

type MoveToDeadTopic = (row: Row, error: unknown) => Promise<void>;
type Row = { id: number; topic: string; key: string; payload: string; created_at: number };

/**
 * The relay is woken by the process that stored an event. Polling finds what another process stored and could not relay,
 * so it becomes rare while nothing comes.
 */
const polls = { firstMs: 100, longestMs: 1000 };
const pauses = { firstMs: 100, longestMs: 5000 };
const countEveryMs = 5000;
const stopDeadlineMs = 5000;
const maxRows = 500;
/** Less than the largest batch that a broker accepts per partition (1 MiB). */
const maxBytes = 512 * 1024;

/**
 * Relays the outbox of one database to Kafka. It reads rows in the order of their ids, produces them, and deletes them
 * after the acknowledgement. The row of outbox_relay stays locked meanwhile, so only one of several processes relays at
 * a time and the order is kept. A process that dies loses the lock with its connection. After a crash between the
 * acknowledgement and the delete, events are redelivered with the same event_id. The relay stores no position, so it
 * also finds a row that commits after rows with greater ids.
 */
export function startOutboxRelay(deps: {
  database: Database;
  kafka: KafkaConnection;
  log: Logger;
  metrics: Metrics;
  /** Shared by the relays of a process. */
  backlog?: OutboxBacklog;
}): OutboxRelay {
  const { database, kafka, log, metrics } = deps;
  const backlog = (deps.backlog ?? createOutboxBacklog(metrics)).add();
  const records = countRecords(metrics);
  const relayed = metrics.counter('gochat_outbox_relayed_total', 'Events taken to Kafka.', ['topic']);

  const producer = kafka.producer();
  const admin = kafka.admin();
  const sleeper = createSleeper();
  let connected = false;
  const stopping = new AbortController();
  let countedAt = 0;

  const moveToDeadTopic = async (row: Row, error: unknown): Promise<void> => {
    log.error(
      { err: error, outboxId: row.id, topic: row.topic, key: row.key },
      'Kafka does not accept an event: it goes to the dead records',
    );
    await produceDeadRecord(producer, row, error);
    records.inc({ topic: row.topic, result: 'dead' });
  };

  /** Relays one batch. Returns true if there may be more rows. */
  async function relayBatch(): Promise<boolean> {
    const [waiting] = await database.query<{ created_at: number }>(
      'SELECT created_at FROM outbox ORDER BY id LIMIT 1',
    );
    backlog.oldestAt = waiting?.created_at ?? 0;
    if (!waiting) {
      backlog.pending = 0;
      return false;
    }
    await refreshPendingCount();
    const rows = await database.transaction((tx) =>
      takeBatch(tx, (batch) => produce(producer, batch, moveToDeadTopic)),
    );
    for (const { topic } of rows) relayed.inc({ topic });
    return rows.length > 0;
  }

  async function refreshPendingCount(): Promise<void> {
    if (Date.now() - countedAt < countEveryMs) return;
    countedAt = Date.now();
    const [row] = await database.query<{ count: number }>('SELECT COUNT(*) AS count FROM outbox');
    backlog.pending = row?.count ?? 0;
  }

  async function connect(): Promise<void> {
    await producer.connect();
    await admin.connect();
    await withAdmin(kafka, ensureSharedTopics);
    connected = true;
  }

  async function run(): Promise<void> {
    const { signal } = stopping;
    const onPause = (error: unknown, pauseMs: number) =>
      log.warn({ err: error, pauseMs }, 'cannot relay events to Kafka now');
    let pollMs = polls.firstMs;
    try {
      while (!signal.aborted) {
        const more = await retry(connectAndRelay, { ...pauses, signal, onPause });
        if (!more) await sleeper.sleep(pollMs);
        pollMs = more ? polls.firstMs : Math.min(pollMs * 2, polls.longestMs);
      }
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    // If Kafka is connected, the events of the last calls still go out before this process ends.
    if (connected) await relayBatch().catch(() => undefined);
  }

  async function connectAndRelay(): Promise<boolean> {
    if (!connected) await connect();
    return relayBatch();
  }
  const running = run();

  return {
    wake: sleeper.wake,
    ready: createSingleFlight(async () => connected && (await answers(admin))).run,
    async stop() {
      stopping.abort();
      sleeper.wake();
      await withDeadline(running, stopDeadlineMs, () => undefined);
      await Promise.allSettled([producer.disconnect(), admin.disconnect()]);
    },
  };
}

/**
 * Relays one batch in a transaction that holds the relay's lock. Returns the relayed rows, or none while another
 * process holds the lock.
 */
async function takeBatch(tx: Transaction, send: (rows: Row[]) => Promise<void>): Promise<Row[]> {
  const rows = await lockAndRead(tx);
  if (rows.length === 0) return [];
  const batch = upToBytes(rows);
  await send(batch);
  await tx.batchAndCommit(`DELETE FROM outbox WHERE id IN (${batch.map(({ id }) => id).join()})`);
  return batch;
}

async function lockAndRead(tx: Transaction): Promise<Row[]> {
  try {
    const [, rows] = (await tx.batch(
      `SELECT id FROM outbox_relay WHERE id = 1 FOR UPDATE NOWAIT;
       SELECT id, topic, record_key AS \`key\`, payload, created_at FROM outbox ORDER BY id LIMIT ${maxRows}`,
    )) as [unknown, Row[]];
    return rows;
  } catch (error) {
    if (isLocked(error)) return [];
    throw error;
  }
}

function upToBytes(rows: Row[]): Row[] {
  let bytes = 0;
  const end = rows.findIndex(({ payload }) => {
    bytes += Buffer.byteLength(payload);
    return bytes > maxBytes;
  });
  return end === -1 ? rows : rows.slice(0, Math.max(end, 1));
}

/**
 * Produces the batch in one request. If it is too large, it is halved until only the record remains that the broker
 * will never accept. That record goes to the dead topic, so that it blocks no other record.
 */
async function produce(producer: Producer, rows: Row[], moveToDeadTopic: MoveToDeadTopic): Promise<void> {
  try {
    await producer.sendBatch({ acks: -1, topicMessages: byTopic(rows) });
  } catch (error) {
    if (!isTooLarge(error)) throw error;
    const [only] = rows;
    if (rows.length === 1 && only) return moveToDeadTopic(only, error);
    const middle = rows.length >> 1;
    await produce(producer, rows.slice(0, middle), moveToDeadTopic);
    await produce(producer, rows.slice(middle), moveToDeadTopic);
  }
}

function byTopic(rows: Row[]) {
  const grouped = Map.groupBy(rows, ({ topic }) => topic);
  return Array.from(grouped, ([topic, list]) => ({
    topic,
    messages: list.map(({ key, payload }) => ({ key, value: payload })),
  }));
}

const isTooLarge = (error: unknown): boolean => {
  const { type, cause } = (error ?? {}) as { type?: string; cause?: { type?: string } };
  return ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'].includes(type ?? cause?.type ?? '');
};

async function produceDeadRecord(producer: Producer, row: Row, error: unknown): Promise<void> {
  const { topic, id, key, payload } = row;
  const original = {
    topic,
    partition: -1,
    offset: String(id),
    key: Buffer.from(key),
    value: Buffer.from(payload),
  };
  await producer.send({ topic: topics.dead, acks: -1, messages: [buildDeadRecord(original, error)] });
}

async function answers(admin: Admin): Promise<boolean> {
  await admin.describeCluster();
  return true;
}
