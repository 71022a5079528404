import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createLogger } from '../../../lib/log.ts';
import { createMetrics } from '../../../lib/metrics.ts';
import { createClaims } from './claims.ts';
import { readItem } from './item.ts';
import { createQueue } from './queue.ts';
import { createRefusedMessages } from './refused-messages.ts';
import { startSaveLoop } from './save-loop.ts';
import { createUpstreamMetrics } from './upstream-metrics.ts';

/** A loop whose saves take 100 ms of a clock that only moves with them, each as soon as `stored` resolves. */
function startSlowLoop(stored: Promise<void>, t: TestContext) {
  // The rest between two saves lasts until the test ends it.
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const queue = createQueue({ maxItems: 100, maxBytes: 1e6, takeItems: 100, takeBytes: 1e6 });
  const claims = createClaims();
  claims.assign([0], true);
  const claim = claims.of(0) ?? 0;
  const saves: string[][] = [];
  const loop = startSaveLoop({
    queue,
    claims,
    async save(items) {
      saves.push(items.map(({ offset }) => String(offset)));
      await stored;
      now += 100;
      return { stored: [], resolve: async () => [] };
    },
    refused: createRefusedMessages(),
    earlyAcks: { send() {}, learn() {} },
    produce: async () => undefined,
    metrics: createUpstreamMetrics(createMetrics('test'), queue.size, 't'),
    log: createLogger('test', 'fatal'),
    topic: 't',
  });
  let offset = 0;
  return {
    loop,
    saves,
    push() {
      const record = { offset: String(offset), key: null, value: Buffer.from('{}') };
      offset += 1;
      queue.push([readItem(record, 0, claim)]);
    },
  };
}

test('items that arrive shortly after a save of several items go into one next save', async (t) => {
  const stored = Promise.withResolvers<void>();
  const { loop, saves, push } = startSlowLoop(stored.promise, t);
  for (let first = 0; first < 4; first += 1) push();
  while (saves.length === 0) await turn();
  push();
  stored.resolve();
  for (let more = 0; more < 2; more += 1) {
    await turn();
    push();
  }
  t.mock.timers.tick(1000);
  await loop.drain();
  assert.deepEqual(saves, [
    ['0', '1', '2', '3'],
    ['4', '5', '6'],
  ]);
});

test('a single item does not wait after the save of another single item', async (t) => {
  const { loop, saves, push } = startSlowLoop(Promise.resolve(), t);
  push();
  while (saves.length === 0) await turn();
  push();
  // No timer of the loop fires here.
  while (saves.length === 1) await turn();
  assert.deepEqual(saves, [['0'], ['1']]);
  await loop.drain();
});
