import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createLogger } from '../../../lib/log.ts';
import type { UpstreamMessage } from '../../../lib/records/records.ts';
import { createClaims } from './claims.ts';
import { type Item, readItem } from './item.ts';
import { createRefusedMessages } from './refused-messages.ts';
import type { Done, Outcome } from './save.ts';
import { createWaitingItems } from './waiting-items.ts';

/** Waiting items of one partition. `isDown` decides which conversations' database does not answer. */
function scene(t: TestContext, isDown: (conversationId: string) => boolean) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const claims = createClaims();
  claims.assign([0], true);
  const delivered: Done[] = [];
  const attempts: number[][] = [];
  const refused = createRefusedMessages();
  const waiting = createWaitingItems({
    refused,
    claims,
    async attempt(items) {
      attempts.push(items.map(({ offset }) => offset));
      return items.map((item): Outcome => {
        if (isDown(item.key?.toString() ?? '')) return { kind: 'waiting', item, stored: false };
        return { kind: 'dead', item, reason: 'done' };
      });
    },
    deliver: (outcomes) => void delivered.push(...outcomes),
    onCount: () => undefined,
    log: createLogger('test', 'fatal'),
  });
  let offset = 0;
  return {
    waiting,
    refused,
    claims,
    attempts,
    delivered: () => delivered.map(({ item, kind }) => `${item.offset} ${kind}`),
    delivery: delivered,
    item(conversation_id: string): Item {
      const message: Partial<UpstreamMessage> = { user_id: '7', conversation_id, timestamp: 1 };
      const value = { ...message, message_type: 1, content: 'hello', client_msg_id: `m${offset}` };
      const record = {
        offset: String(offset),
        key: Buffer.from(conversation_id),
        value: Buffer.from(JSON.stringify(value)),
      };
      offset += 1;
      return readItem(record, 0, claims.of(0) ?? 0);
    },
    async pass(ms: number): Promise<void> {
      now += ms;
      t.mock.timers.tick(ms);
      for (let turns = 0; turns < 5; turns += 1) await turn();
    },
  };
}

const unstored = (item: Item) => ({ kind: 'waiting', item, stored: false }) as const;

test('later messages of a conversation wait behind the first one, and others go on', async (t) => {
  let down = true;
  const { waiting, item, pass, delivered } = scene(t, () => down);
  const [first, second, other] = [item('9'), item('9'), item('10')];
  waiting.add([unstored(first)]);
  assert.deepEqual(waiting.keepBehind([second, other]), [other]);
  await pass(500);
  assert.deepEqual(delivered(), []);
  down = false;
  await pass(2000);
  assert.deepEqual(delivered(), ['0 dead', '1 dead']);
  const third = item('9');
  assert.deepEqual(waiting.keepBehind([third]), [third]);
});

test('a message that is not stored within eight seconds is refused as UNAVAILABLE, and a stored one is not', async (t) => {
  let down = true;
  const { waiting, item, pass, delivered, delivery } = scene(t, () => down);
  waiting.add([unstored(item('9')), { kind: 'waiting', item: item('8'), stored: true }]);
  for (let seconds = 0; seconds < 10; seconds += 1) await pass(1000);
  assert.deepEqual(delivered(), ['0 refused']);
  assert.equal(delivery[0]?.kind === 'refused' && delivery[0].code, 'UNAVAILABLE');
  down = false;
  await pass(2000);
  assert.deepEqual(delivered(), ['0 refused', '1 dead']);
});

test('a refused message is remembered until it is delivered, since it may still be stored', async (t) => {
  const { waiting, item, pass, refused } = scene(t, () => true);
  const first = item('9');
  if (first.content.kind !== 'message') throw new Error('no message');
  const { message } = first.content;
  waiting.add([unstored(first)]);
  assert.equal(refused.offsetsOf(message), undefined);
  for (let seconds = 0; seconds < 10; seconds += 1) await pass(1000);
  assert.deepEqual(refused.offsetsOf(message), [0]);
  assert.equal(refused.offsetsOf({ ...message, content: 'another text' }), undefined);
  refused.note({ ...first, offset: 4 });
  assert.deepEqual(refused.offsetsOf({ ...message, timestamp: 2 }), [0, 4]);
  refused.delivered(message);
  assert.equal(refused.offsetsOf(message), undefined);
});

test('beyond a hundred waiting messages further ones are refused at once', (t) => {
  const { waiting, item, delivered } = scene(t, () => true);
  waiting.add(Array.from({ length: 101 }, (_, n) => unstored(item(String(n + 1)))));
  assert.deepEqual(delivered(), ['100 refused']);
});

test('what waits holds back the offset that is committed', async (t) => {
  let down = true;
  const { waiting, item, pass, claims, delivery } = scene(t, () => down);
  const [first, second] = [item('9'), item('10')];
  waiting.add([unstored(first)]);
  claims.acknowledge([second]);
  assert.deepEqual(claims.uncommitted(), [{ partition: 0, offset: 0 }]);
  down = false;
  await pass(1000);
  claims.acknowledge(delivery.map((outcome) => outcome.item));
  assert.deepEqual(claims.uncommitted(), [{ partition: 0, offset: 2 }]);
});
