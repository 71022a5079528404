import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Redis } from 'ioredis';
import { eventually } from '../support/eventually.ts';
import { mapConcurrently } from '../support/map-concurrently.ts';
import { pause } from '../support/pause.ts';
import { newGuests } from '../support/people/guests.ts';
import { befriend, chat, gatewayUrl, type Person } from '../support/people/people.ts';
import { everythingReady, freeze, slow } from '../support/servers/outage.ts';
import { type Prometheus, startPrometheus, withoutPrometheus } from '../support/servers/prometheus.ts';

/**
 * The three alerts that operators rely on by name, seen to fire and to rest again in a real Prometheus that scrapes the
 * real services and has the project's own rules, ten times quicker.
 */
const options = { skip: withoutPrometheus, timeout: 240_000 };
const services = ['gateway-1', 'gateway-2', 'logic', 'repo', 'task', 'pusher'];
const listCache = 'user:conversations:full';
const readerCount = 40;
const readersAtOnce = 10;
const roundMs = 200;

let prometheus: Prometheus;
let redis: Redis;
let readers: Person[];

before(async () => {
  if (withoutPrometheus !== false) return;
  const urls = services.map((name) => [
    name,
    process.env[`${name.toUpperCase().replaceAll('-', '_')}_METRICS_URL`] ?? '',
  ]);
  prometheus = await startPrometheus(Object.fromEntries(urls));
  redis = new Redis(process.env.REDIS_URL ?? 'redis://127.0.0.1:6379');
  readers = await newGuests(readerCount);
});
after(async () => {
  await redis?.quit();
  await prometheus?.close();
});

/** Does something over and over, until what it causes has been waited for. */
async function during<T>(work: () => Promise<unknown>, waited: Promise<T>): Promise<T> {
  let over = false;
  const working = (async () => {
    while (!over) await work();
  })();
  const result = await Promise.race([waited, working as Promise<never>]).finally(() => {
    over = true;
  });
  await working;
  return result;
}

/** Everyone reads the list of conversations. */
const readLists = () => mapConcurrently(readers, ({ rest }) => rest.get('/conversations'), readersAtOnce);

/** The same while the cache forgets, as after a restart: without its epoch im-repo takes nothing of its memory either. */
async function readListsUncached(): Promise<void> {
  await redis.unlink('cache:epoch', ...readers.map(({ id }) => `${listCache}:${id}`));
  await readLists();
}

/** A limited rate: values that are averaged over minutes would take as long to change. */
const unhurried = (work: () => Promise<unknown>) => () => Promise.all([work(), pause(roundMs)]);

test('MessageSendFailureHigh: the database stands still under sends', options, async () => {
  const [ann, bob] = (await newGuests(2)) as [Person, Person];
  const conversationId = await befriend(ann, bob);
  const socket = await chat(ann);
  let sent = 0;
  const sending = setInterval(() => {
    socket.send('send-message', { conversationId, clientMsgId: `alert-${sent}`, content: 'anybody there?' });
    sent += 1;
  }, 100);
  try {
    await eventually(() => socket.all('message-ack').length > 20);
    await prometheus.rests({ alertname: 'MessageSendFailureHigh' }, 5000);
    const database = freeze('database');
    try {
      const labels = await prometheus.fires({ alertname: 'MessageSendFailureHigh' }, 60_000);
      assert.deepEqual([labels.service, labels.severity], ['logic', 'critical']);
    } finally {
      database.thaw();
    }
    const failed = socket.all('error');
    assert.ok(failed.length > 0 && failed.every(({ code }) => code === 'INTERNAL_ERROR'));
    await prometheus.rests({ alertname: 'MessageSendFailureHigh' }, 90_000);
  } finally {
    clearInterval(sending);
  }
  // Those whose senders were told so were stored all the same, once.
  const { conversation } = await bob.rest.get<{ conversation: { lastSeqId: number } }>(
    `/conversations/${conversationId}`,
  );
  assert.ok(conversation.lastSeqId <= sent);
  await socket.close();
  await everythingReady();
});

test('CacheHitRateLow: the cache of lists loses values that it should keep', options, async (t) => {
  const alert = { alertname: 'CacheHitRateLow', cache: listCache };
  // However few looked it up before: nine in ten of them find it now.
  await readLists();
  await during(unhurried(readLists), prometheus.rests(alert, 60_000));
  const from = performance.now();
  const labels = await during(unhurried(readListsUncached), prometheus.fires(alert, 60_000));
  t.diagnostic(`fires ${Math.round(performance.now() - from)} ms after the first miss`);
  assert.deepEqual([labels.service, labels.severity], ['repo', 'warning']);
  await during(readLists, prometheus.rests(alert, 120_000));
});

test('ConversationLoadSlow: the database is slow and the cache is cold', options, async () => {
  const alert = { alertname: 'ConversationLoadSlow' };
  await during(readLists, prometheus.rests(alert, 5000));
  const database = slow('database', { standsMs: 800, runsMs: 100 });
  try {
    const labels = await during(readListsUncached, prometheus.fires(alert, 60_000));
    assert.deepEqual([labels.service, labels.severity], ['logic', 'warning']);
  } finally {
    database.end();
  }
  await during(readLists, prometheus.rests(alert, 90_000));
  assert.ok((await fetch(`${gatewayUrl}/readyz`)).ok);
});
