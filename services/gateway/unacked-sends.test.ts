import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GoChatError } from '../../lib/errors.ts';
import { eventually } from '../../test/support/eventually.ts';
import { createUnackedSends } from './unacked-sends.ts';

const session = { id: 's' };

test('a send is taken out once', (t) => {
  const unacked = createUnackedSends({ most: 10, timeoutMs: 1000, onTimeout: () => undefined });
  t.after(unacked.stop);
  unacked.begin(session, '7', 'a');
  assert.ok((unacked.end(session, '7', 'a') ?? -1) >= 0);
  assert.equal(unacked.end(session, '7', 'a'), undefined);
});

test('more than the most are refused until some are taken out', (t) => {
  const unacked = createUnackedSends({ most: 1, timeoutMs: 1000, onTimeout: () => undefined });
  t.after(unacked.stop);
  unacked.begin(session, '7', 'a');
  assert.throws(
    () => unacked.begin(session, '7', 'b'),
    (error) => error instanceof GoChatError && error.code === 'UNAVAILABLE',
  );
  unacked.end(session, '7', 'a');
  unacked.begin(session, '7', 'b');
});

test('what waits too long is told once', async (t) => {
  const told: string[] = [];
  const unacked = createUnackedSends({
    most: 9,
    timeoutMs: 40,
    onTimeout: (_, clientMsgId) => told.push(clientMsgId),
  });
  t.after(unacked.stop);
  for (const clientMsgId of ['a', 'b', 'a']) unacked.begin(session, '7', clientMsgId);
  await eventually(() => unacked.size() === 0);
  assert.deepEqual(told, ['b', 'a']);
});
