import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeOf, GoChatError } from '../../../lib/errors.ts';
import type { SeqRange } from '../../../lib/gen/im_repo/v1/search.ts';
import { createMetrics } from '../../../lib/metrics.ts';
import { createIndexConsumer } from './index-consumer.ts';

/** A consumer, and the calls that it makes; `answer` says what is left of each. */
function scene(answer: (ranges: SeqRange[]) => SeqRange[] = () => []) {
  const calls: SeqRange[][] = [];
  const metrics = createMetrics('task');
  const handle = createIndexConsumer({
    search: {
      async indexMessages({ ranges = [] }) {
        calls.push(ranges as SeqRange[]);
        return { indexed: 0, left: answer(ranges as SeqRange[]) };
      },
    },
    metrics,
  });
  return {
    calls,
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
