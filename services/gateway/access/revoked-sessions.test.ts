import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GoChatError } from '../../../lib/errors.ts';
import type { LogicClient } from '../../../lib/grpc/clients.ts';
import { createLogger } from '../../../lib/log.ts';
import { createRevokedSessions } from './revoked-sessions.ts';

const hour = 3_600_000;

type Page = Awaited<ReturnType<LogicClient['auth']['listRevokedSessions']>>;

const page = (ids: string[], nextSince: number, rest: Partial<Page> = {}): Page => ({
  sessions: ids.map((id) => ({ id, accessExpiresAt: Date.now() + hour })),
  nextSince,
  nextAfterSessionId: '',
  more: false,
  ...rest,
});

function polled(answers: (() => Promise<Page>)[]) {
  const asked: { since: number; afterSessionId: string }[] = [];
  const closed: string[] = [];
  const revoked = createRevokedSessions({
    auth: {
      async listRevokedSessions(request) {
        asked.push(request);
        return (await answers.shift()?.()) ?? page([], request.since);
      },
    },
    onRevoked: (sessionId) => closed.push(sessionId),
    log: createLogger('test', 'silent'),
  });
  return { revoked, asked, closed };
}

test('a revoked session is closed once, even if it is reported several times', async (t) => {
  const answer = async () => page(['a', 'b'], 77);
  const { revoked, asked, closed } = polled([answer, answer]);
  t.after(revoked.stop);
  revoked.add(['a']);
  await revoked.refresh();
  await revoked.refresh();
  assert.deepEqual(closed, ['a', 'b']);
  assert.deepEqual([revoked.has('a'), revoked.has('b'), revoked.has('c')], [true, true, false]);
  assert.equal(asked[1]?.since, 77);
});

test('one refresh reads all pages', async (t) => {
  const { revoked, asked } = polled([
    async () => page(['a'], 5, { more: true, nextAfterSessionId: 'a' }),
    async () => page(['b'], 9),
  ]);
  t.after(revoked.stop);
  await revoked.refresh();
  assert.deepEqual(asked[1], { since: 5, afterSessionId: 'a' });
  assert.deepEqual([revoked.has('a'), revoked.has('b')], [true, true]);
});

test('a revoked session is remembered until its last access token has expired', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  const { revoked, asked } = polled([async () => page(['short'], 5)]);
  t.after(revoked.stop);
  await revoked.refresh();
  revoked.add(['long']);
  assert.ok(
    Date.now() - (asked[0]?.since ?? 0) >= 24 * hour,
    'also those that were revoked before the start',
  );
  t.mock.timers.tick(hour - 1);
  await revoked.refresh();
  assert.deepEqual([revoked.has('short'), revoked.has('long')], [true, true]);
  t.mock.timers.tick(61_000);
  await revoked.refresh();
  assert.deepEqual([revoked.has('short'), revoked.has('long')], [false, true]);
  t.mock.timers.tick(23 * hour - 62_000);
  await revoked.refresh();
  assert.ok(revoked.has('long'));
});

test('after a failed poll, the next one starts from the same time', async (t) => {
  const { revoked, asked } = polled([
    async () => {
      throw new GoChatError('UNAVAILABLE', 'Not now.');
    },
    async () => page(['a'], 5),
  ]);
  t.after(revoked.stop);
  await revoked.refresh();
  assert.equal(revoked.isComplete(), false);
  await revoked.refresh();
  assert.ok(revoked.isComplete());
  assert.deepEqual(asked[0], asked[1]);
  assert.ok(revoked.has('a'));
});

test('a refresh does not rely on a poll that was in flight before', async (t) => {
  const early = Promise.withResolvers<Page>();
  const { revoked } = polled([() => early.promise, async () => page(['late'], 9)]);
  t.after(revoked.stop);
  const first = revoked.refresh();
  const second = revoked.refresh();
  early.resolve(page([], 8));
  await Promise.all([first, second]);
  assert.ok(revoked.has('late'));
});
