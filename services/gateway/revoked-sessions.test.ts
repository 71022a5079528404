import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GoChatError } from '../../lib/errors.ts';
import { createLogger } from '../../lib/log.ts';
import { createRevokedSessions } from './revoked-sessions.ts';

function polled(answers: (() => Promise<{ sessionIds: string[]; nextSince: number }>)[]) {
  const asked: number[] = [];
  const closed: string[] = [];
  const revoked = createRevokedSessions({
    auth: {
      async listRevokedSessions({ since }) {
        asked.push(since);
        return (await answers.shift()?.()) ?? { sessionIds: [], nextSince: since };
      },
    },
    onRevoked: (sessionId) => closed.push(sessionId),
    log: createLogger('test', 'silent'),
  });
  return { revoked, asked, closed };
}

test('a session is closed once, however often it is named', async (t) => {
  const answer = async () => ({ sessionIds: ['a', 'b'], nextSince: 77 });
  const { revoked, asked, closed } = polled([answer, answer]);
  t.after(revoked.stop);
  revoked.add(['a']);
  await revoked.refresh();
  await revoked.refresh();
  assert.deepEqual(closed, ['a', 'b']);
  assert.deepEqual([revoked.has('a'), revoked.has('b'), revoked.has('c')], [true, true, false]);
  assert.equal(asked[1], 77);
});

test('after a failed call the same time is asked for again', async (t) => {
  const { revoked, asked } = polled([
    async () => {
      throw new GoChatError('UNAVAILABLE', 'Not now.');
    },
    async () => ({ sessionIds: ['a'], nextSince: 5 }),
  ]);
  t.after(revoked.stop);
  await revoked.refresh();
  await revoked.refresh();
  assert.equal(asked[0], asked[1]);
  assert.ok(revoked.has('a'));
});

test('asking now does not settle for a call that was under way', async (t) => {
  const early = Promise.withResolvers<{ sessionIds: string[]; nextSince: number }>();
  const { revoked } = polled([() => early.promise, async () => ({ sessionIds: ['late'], nextSince: 9 })]);
  t.after(revoked.stop);
  const first = revoked.refresh();
  const second = revoked.refresh();
  early.resolve({ sessionIds: [], nextSince: 8 });
  await Promise.all([first, second]);
  assert.ok(revoked.has('late'));
});
