import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { codeNumber, codeOf } from '../../../../lib/errors.ts';
import { eventually } from '../../../support/eventually.ts';
import { createConversationParts, idOf } from '../../../support/repo/conversation-parts.ts';
import { openRepoParts } from '../../../support/repo/open-repo.ts';

const { parts, redis } = await openRepoParts({ layout: 'sharded', throughDoors: true });
const repo = createConversationParts(parts);
const { databases } = parts;
const refused = codeNumber('UNAVAILABLE');

function door(role: string) {
  const found = parts.doors.get(role);
  assert.ok(found);
  return found;
}

afterEach(async () => {
  for (const one of parts.doors.values()) one.set({ is: 'open' });
  await eventually(async () => (await Promise.all(databases.all.map(answers))).every(Boolean));
});

const answers = (database: (typeof databases.all)[number]) =>
  database.query('SELECT 1').then(
    () => true,
    () => false,
  );

/** A group of two in each of the two databases of conversations. */
async function twoGroups() {
  const [ann, bob] = [await repo.newGuest(), await repo.newGuest()];
  const groups: string[] = [];
  while (databases.byShard(groups, (id) => id).size < 2) groups.push(await repo.newGroup([ann, bob]));
  const inShard = (index: number) => {
    const found = groups.find((id) => databases.messagesOf(id) === databases.shards[index]);
    assert.ok(found);
    return found;
  };
  return { ann, bob, groups, up: inShard(0), down: inShard(1) };
}

/** Forgets all that is cached, here and in Redis. */
const forgetAll = () => redis.client.flushall();

const history = (userId: string, conversationId: string) =>
  repo.messages.getMessages({ userId, conversationId, limit: 50 });

/** How long a call took, in milliseconds, and the code of its error. */
async function timed(call: Promise<unknown>): Promise<{ ms: number; code: string }> {
  const begun = performance.now();
  const code = await call.then(
    () => 'OK',
    (error: unknown) => codeOf(error),
  );
  return { ms: performance.now() - begun, code };
}

for (const is of ['shut', 'silent'] as const) {
  test(`while a shard is ${is}, its reads are refused within 2 s, and all others go on`, async () => {
    const { ann, bob, up, down } = await twoGroups();
    await repo.say(up, bob, 'up');
    await repo.say(down, bob, 'down');
    await forgetAll();
    door('c2').set({ is });
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const { ms, code } = await timed(history(ann, down));
      assert.equal(code, 'UNAVAILABLE');
      assert.ok(ms < 2000, `refused after ${ms} ms`);
    }
    const { messages } = await history(ann, up);
    assert.deepEqual(
      messages.map(({ content }) => content),
      ['up'],
    );
    assert.equal((await timed(repo.see(ann, up))).code, 'OK');
  });

  test(`while a shard is ${is}, a batch is stored but for its messages, and their retry finds them once`, async () => {
    const { ann, up, down } = await twoGroups();
    await repo.save(repo.newMessage(up, ann), repo.newMessage(down, ann));
    const retried = repo.newMessage(down, ann);
    door('c2').set({ is });
    const begun = performance.now();
    const first = await repo.save(repo.newMessage(up, ann), retried);
    assert.deepEqual(
      first.map(({ error, seqId }) => [error, seqId]),
      [
        [0, 2],
        [refused, 0],
      ],
    );
    assert.ok(performance.now() - begun < 2000);
    const again = performance.now();
    const [other, same] = await repo.save(repo.newMessage(up, ann), retried);
    assert.deepEqual([other?.error, other?.seqId, same?.error], [0, 3, refused]);
    assert.ok(performance.now() - again < 500, 'a shard that is known to be down is not waited for');
    door('c2').set({ is: 'open' });
    await eventually(async () => (await repo.save(retried))[0]?.error === 0);
    const [stored] = await repo.save({ ...retried, sourceOffset: 1_000_000 });
    assert.deepEqual([stored?.seqId, stored?.duplicate], [2, true]);
  });
}

test('while a shard is down, the list and a sync have the rest and say so, and nothing is reported as removed', async () => {
  const { ann, groups, up, down } = await twoGroups();
  const complete = await repo.list(ann);
  assert.equal(complete.partial, undefined);
  await forgetAll();
  door('c2').set({ is: 'shut' });
  const isUp = (id: string) => databases.messagesOf(id) !== databases.shards[1];
  const seen = groups.filter(isUp);
  for (const page of [await repo.list(ann), await repo.list(ann)]) {
    assert.equal(page.partial, true);
    assert.deepEqual(new Set(page.conversations.map(idOf).filter((id) => id !== '1')), new Set(seen));
  }
  const since = Date.now() - 60_000;
  const synced = await repo.sync(ann, { [up]: 0, [down]: 0 }, { since });
  assert.deepEqual([synced.partial, synced.removed, synced.serverTime], [true, [], since]);
  assert.ok(synced.conversations.every(({ conversation }) => isUp(idOf(conversation))));

  door('c2').set({ is: 'open' });
  await eventually(async () => (await repo.list(ann)).partial === undefined);
  const after = await repo.list(ann);
  assert.deepEqual(after.conversations.map(idOf), complete.conversations.map(idOf));
  assert.deepEqual((await repo.sync(ann, { [up]: 0, [down]: 0 }, { since })).partial, undefined);
});

test('while a shard is down, a search has the rest and says so, and the others’ messages enter the index', async () => {
  const { ann, up, down } = await twoGroups();
  const say = (id: string, content: string) => repo.save(repo.newMessage(id, ann, { content }));
  await say(up, 'peach 1');
  await say(down, 'peach 1');
  const ranges = (last: number) =>
    [up, down].map((conversationId) => ({ conversationId, firstSeqId: 1, lastSeqId: last }));
  await repo.search.indexMessages({ ranges: ranges(1) });
  const search = (conversationId?: string) =>
    repo.search.searchMessages({ userId: ann, query: 'peach', limit: 0, conversationId });
  const complete = await search();
  assert.deepEqual([complete.hits.length, complete.partial], [2, undefined]);
  await say(up, 'peach 2');
  await say(down, 'peach 2');
  door('c2').set({ is: 'shut' });
  await assert.rejects(repo.search.indexMessages({ ranges: ranges(2) }), { code: 'UNAVAILABLE' });
  const check = async () => {
    const { hits, partial } = await search();
    assert.deepEqual(
      hits.map(({ message }) => [message?.conversationId, message?.content]),
      [
        [up, 'peach 2'],
        [up, 'peach 1'],
      ],
    );
    assert.equal(partial, true);
  };
  // With the memberships of the user in the cache, and without.
  await check();
  await forgetAll();
  await check();
  await assert.rejects(search(down), { code: 'UNAVAILABLE' });
  door('c1').set({ is: 'shut' });
  await assert.rejects(search(), { code: 'UNAVAILABLE' });
});

test('while all shards are down, the list and a sync are refused', async () => {
  const { ann } = await twoGroups();
  await forgetAll();
  for (const role of ['c1', 'c2']) door(role).set({ is: 'shut' });
  await assert.rejects(repo.list(ann), { code: 'UNAVAILABLE' });
  await assert.rejects(repo.sync(ann), { code: 'UNAVAILABLE' });
});

test('while a shard is down, the recipients of its messages are unavailable, and those of others are known', async () => {
  const { ann, bob, up, down } = await twoGroups();
  await repo.goOnline(bob, 'outage');
  const message = repo.newMessage(down, ann);
  const { stored } = await repo.messages.saveMessages({
    messages: [repo.newMessage(up, ann), message],
    recipientsOf: [],
    storedOnly: true,
  });
  door('c2').set({ is: 'shut' });
  const { storedRecipients, recipients } = await repo.messages.resolveRecipients({
    stored,
    queries: [up, down].map((conversationId) => ({ conversationId, extraUserIds: [] })),
  });
  for (const all of [storedRecipients, recipients]) {
    const known = Object.fromEntries(
      all.map(({ conversationId, unavailable, gateways }) => [
        conversationId,
        unavailable ?? gateways.flatMap(({ userIds }) => userIds),
      ]),
    );
    assert.deepEqual(known, { [up]: [bob], [down]: true });
  }
});

test('while a shard is down, read marks and the progress of large groups in others go on', async () => {
  const { ann, bob, up, down } = await twoGroups();
  for (const id of [up, down]) await repo.say(id, bob);
  door('c2').set({ is: 'shut' });
  const updates = [up, down].map((conversationId) => ({
    userId: ann,
    conversationId,
    seqId: 1,
    sessionId: '',
  }));
  const { errors } = await repo.conversations.batchUpdateReadPointers({ updates });
  assert.deepEqual(errors, [0, refused]);
  const { progress } = await repo.fanout.getFanoutProgress({ conversationIds: [up, down] });
  assert.deepEqual(
    progress.map(({ conversationId }) => conversationId),
    [up],
  );
  await assert.rejects(repo.fanout.getFanoutProgress({ conversationIds: [down] }), { code: 'UNAVAILABLE' });
});

test('while the directory is down, sends, reads, lists and ids go on; new single conversations do not', async () => {
  const { ann, bob, up, down } = await twoGroups();
  await repo.befriend(ann, bob);
  await forgetAll();
  door('directory').set({ is: 'silent' });
  const saved = await repo.save(repo.newMessage(up, ann), repo.newMessage(down, ann));
  assert.deepEqual(
    saved.map(({ error }) => error),
    [0, 0],
  );
  assert.equal((await history(bob, up)).messages.length, 1);
  const page = await repo.list(bob);
  assert.deepEqual([page.partial, page.conversations.length > 2], [undefined, true]);
  const single = await timed(repo.openSingle(ann, bob));
  assert.equal(single.code, 'UNAVAILABLE');
});

test('while the database of accounts is down, messages are stored, and senders who are not cached are unavailable', async () => {
  const { ann, up } = await twoGroups();
  await forgetAll();
  door('accounts').set({ is: 'shut' });
  const { stored, results } = await repo.messages.saveMessages({
    messages: [repo.newMessage(up, ann)],
    recipientsOf: [],
    storedOnly: true,
  });
  assert.equal(results[0]?.error, 0);
  const unknown = await repo.messages.resolveRecipients({ stored, queries: [] });
  assert.deepEqual([unknown.senders, unknown.sendersUnavailable], [[], true]);
  door('accounts').set({ is: 'open' });
  await eventually(async () => {
    const { senders } = await repo.messages.resolveRecipients({ stored, queries: [] });
    return senders[0]?.id === ann;
  });
});
