import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf, GoChatError } from '../../../lib/errors.ts';
import type { SeqRange } from '../../../lib/gen/im_repo/v1/search.ts';
import { createMetrics } from '../../../lib/metrics.ts';
import { createIndexConsumer } from './index-consumer.ts';

/** A consumer, and the calls that it makes; `answer` says what is left of each. */
function scene(answer: (ranges: SeqRange[]) => SeqRange[] | Promise<SeqRange[]> = () => []) {
  const calls: SeqRange[][] = [];
  const toldAgain: { key: string | null; conversations: unknown }[] = [];
  let heartbeats = 0;
  const metrics = createMetrics('task');
  const handle = createIndexConsumer({
    search: {
      async indexMessages({ ranges = [] }) {
        calls.push(ranges as SeqRange[]);
        return { indexed: 0, left: await answer(ranges as SeqRange[]) };
      },
    },
    async tellAgain(records) {
      for (const { key, value } of records)
        toldAgain.push({ key, conversations: JSON.parse(value).conversations });
    },
    metrics,
  });
  return {
    calls,
    toldAgain,
    heartbeats: () => heartbeats,
    metrics,
    handle: (...values: unknown[]) =>
      handle(
        values.map((value, offset) => ({
          topic: 't',
          partition: 0,
          offset: String(offset),
          timestamp: '0',
          value,
        })),
        async () => {
          heartbeats += 1;
        },
      ),
  };
}

const range = (conversationId: string, firstSeqId = 1, lastSeqId = firstSeqId): SeqRange => ({
  conversationId,
  firstSeqId,
  lastSeqId,
});
const stored = (...ranges: SeqRange[]) => ({
  event_id: 'e',
  occurred_at: Date.now(),
  conversations: ranges.map(({ conversationId, firstSeqId, lastSeqId }) => ({
    conversation_id: conversationId,
    first_seq_id: firstSeqId,
    last_seq_id: lastSeqId,
  })),
});

test('records that come at about the same time are one call', async () => {
  const { calls, handle } = scene();
  await Promise.all([handle(stored(range('1'), range('2', 3, 5))), handle(stored(range('1', 2)))]);
  assert.deepEqual(calls, [[range('1'), range('2', 3, 5), range('1', 2)]]);
});

test('what is left is taken up by further calls before the records count as handled', async () => {
  let left = 2;
  const { calls, handle } = scene((ranges) => (left-- > 0 ? ranges : []));
  await handle(stored(range('1', 1, 900)));
  assert.equal(calls.length, 3);
});

test('a conversation with much to take up keeps no other waiting, and goes back to the end of the topic', async () => {
  const { calls, toldAgain, handle, metrics } = scene(async (ranges) => {
    await sleep(20);
    return ranges.filter(({ conversationId }) => conversationId === '1');
  });
  let isOver = false;
  const long = handle(stored(range('1', 1, 9000)), stored(range('1', 1, 9000), range('2'))).then(() => {
    isOver = true;
  });
  while (calls.length < 2) await sleep(1);
  await handle(stored(range('3')));
  assert.equal(isOver, false);
  assert.deepEqual(
    calls.find((ranges) => ranges.some(({ conversationId }) => conversationId === '3'))?.[0],
    range('3'),
  );
  await long;
  assert.deepEqual(toldAgain, [{ key: '1', conversations: stored(range('1', 1, 9000)).conversations }]);
  // Nothing of it is called again by itself, and it does not count as being in the index.
  const count = calls.length;
  await sleep(300);
  assert.equal(calls.length, count);
  assert.match(await metrics.registry.metrics(), /^gochat_search_index_delay_seconds_count 1$/m);
});

test('the group hears from the consumer while a call takes long', async () => {
  const { heartbeats, handle } = scene(async () => {
    await sleep(1200);
    return [];
  });
  await handle(stored(range('1')));
  assert.equal(heartbeats(), 1);
});

test('a record that names no stored messages is refused, and the error of im-repo reaches the caller', async () => {
  const { calls, handle } = scene();
  const wrong = [
    null,
    {},
    'x',
    { conversations: [] },
    { conversations: [null] },
    stored(range('x')),
    stored(range('1', 2, 1)),
  ];
  for (const value of wrong) {
    await assert.rejects(
      handle(value),
      (error) => codeOf(error) === 'INVALID_ARGUMENT',
      JSON.stringify(value),
    );
  }
  assert.deepEqual(calls, []);
  const away = scene(() => {
    throw new GoChatError('UNAVAILABLE', 'away');
  });
  await assert.rejects(away.handle(stored(range('1'))), (error) => codeOf(error) === 'UNAVAILABLE');
});

test('the time until messages are in the index is measured', async () => {
  const { handle, metrics } = scene();
  await handle(stored(range('1')));
  assert.match(await metrics.registry.metrics(), /^gochat_search_index_delay_seconds_count 1$/m);
});
