import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GoChatError } from '../../../lib/errors.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { createUnackedSends } from './unacked-sends.ts';

const session = { id: 's' };

test('a send is removed once', (t) => {
  const unacked = createUnackedSends({ max: 10, timeoutMs: 1000, onTimeout: () => undefined });
  t.after(unacked.stop);
  unacked.begin(session, '7', 'a');
  assert.ok((unacked.end('s', '7', 'a') ?? -1) >= 0);
  assert.equal(unacked.end('s', '7', 'a'), undefined);
  unacked.begin(session, '7', 'b');
  assert.equal(unacked.drop('s', '7', 'b'), true);
  assert.equal(unacked.drop('s', '7', 'b'), false);
});

test('sends beyond the limit are refused until some are removed', (t) => {
  const unacked = createUnackedSends({ max: 1, timeoutMs: 1000, onTimeout: () => undefined });
  t.after(unacked.stop);
  unacked.begin(session, '7', 'a');
  assert.throws(
    () => unacked.begin(session, '7', 'b'),
    (error) => error instanceof GoChatError && error.code === 'UNAVAILABLE',
  );
  unacked.end('s', '7', 'a');
  unacked.begin(session, '7', 'b');
});

test('a send that waits too long is reported once', async (t) => {
  const timedOut: string[] = [];
  const unacked = createUnackedSends({
    max: 9,
    timeoutMs: 40,
    onTimeout: (_, clientMsgId) => timedOut.push(clientMsgId),
  });
  t.after(unacked.stop);
  for (const clientMsgId of ['a', 'b', 'a']) unacked.begin(session, '7', clientMsgId);
  await eventually(() => unacked.size() === 0);
  assert.deepEqual(timedOut, ['b', 'a']);
});

test('while more is sent than is acknowledged, few may wait', (t) => {
  let at = 0;
  const unacked = createUnackedSends({
    max: 20_000,
    timeoutMs: 60_000,
    onTimeout: () => undefined,
    now: () => at,
  });
  t.after(unacked.stop);
  let [sent, acknowledged, refused] = [0, 0, 0];
  const send = () => {
    try {
      unacked.begin(session, '7', String(sent));
      sent += 1;
    } catch {
      refused += 1;
    }
  };
  for (; at < 2000; at += 1) {
    for (let i = 0; i < 9; i += 1) send();
    for (let i = 0; i < 3 && acknowledged < sent; i += 1) unacked.end('s', '7', String(acknowledged++));
  }
  assert.ok(unacked.limit() < 1000, `${unacked.limit()} may wait`);
  assert.ok(refused > 6000, `${refused} were refused`);
});
