import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '../../../../lib/log.ts';
import { createMetrics } from '../../../../lib/metrics.ts';
import type { DatabaseAddresses } from '../../../../services/repo/storage/databases.ts';
import { placeConversations } from '../../../../services/repo/storage/placement.ts';
import { createConversationParts, idOf } from '../../../support/repo/conversation-parts.ts';
import { connectDatabases, openMigratedDatabase } from '../../../support/repo/database.ts';
import { openRepoParts } from '../../../support/repo/open-repo.ts';

const log = createLogger('test', 'silent');
const { parts } = await openRepoParts({ layout: 'sharded' });
const repo = createConversationParts(parts);

const named = (directory: string, shards: Record<string, string>): DatabaseAddresses => ({
  directory,
  accounts: directory,
  conversations: Object.entries(shards).map(([name, url]) => ({ name, url })),
});

/** The index of the database that has each of these conversations, as a process with these addresses sees it. */
async function placesOf(addresses: DatabaseAddresses, ids: readonly number[]): Promise<number[]> {
  const databases = connectDatabases(addresses, { log });
  await placeConversations(databases, addresses);
  return ids.map((id) => databases.shards.indexOf(databases.messagesOf(id)));
}

const ids = Array.from({ length: 50 }, (_, n) => 373825535221760 + n * 4096);

test('conversations are spread over the databases, and stay where the first start put them', async () => {
  const [directory, one, other, third] = await Promise.all([1, 2, 3, 4].map(() => openMigratedDatabase()));
  assert.ok(directory && one && other && third);
  const first = await placesOf(named(directory, { c1: one, c2: other }), ids);
  assert.ok(first.includes(0) && first.includes(1));
  assert.deepEqual(await placesOf(named(directory, { c1: one, c2: other }), ids), first);
  const turned = await placesOf(named(directory, { c2: other, c1: one }), ids);
  assert.deepEqual(
    turned.map((index) => 1 - index),
    first,
  );
  assert.deepEqual(await placesOf(named(directory, { c1: one, c2: other, c3: third }), ids), first);
  await assert.rejects(
    placesOf(named(directory, { c1: one, c3: third }), ids),
    /configuration: conversations are in a database named "c2"/,
  );
});

test('several processes that start at once place conversations alike', async () => {
  const [directory, one, other] = await Promise.all([1, 2, 3].map(() => openMigratedDatabase()));
  assert.ok(directory && one && other);
  const [a, b, c] = await Promise.all([
    placesOf(named(directory, { c1: one, c2: other }), ids),
    placesOf(named(directory, { c1: one, c2: other }), ids),
    placesOf(named(directory, { c1: one, c2: other }), ids),
  ]);
  assert.deepEqual([b, c], [a, a]);
});

test('where conversations are already, all others go too', async () => {
  const { parts: old } = await openRepoParts();
  const before = createConversationParts({ ...old, metrics: createMetrics('test') });
  await before.newGroup([await before.newGuest(), await before.newGuest()]);
  const other = await openMigratedDatabase();
  const places = await placesOf(named(old.url, { c1: other, c2: old.url }), ids);
  assert.deepEqual(new Set(places), new Set([1]));
});

test('a list that spans databases is in one order, page by page', async () => {
  const [ann, bob] = [await repo.newGuest(), await repo.newGuest()];
  const groups: string[] = [];
  for (let n = 0; n < 12; n += 1) groups.push(await repo.newGroup([ann, bob]));
  assert.equal(parts.databases.byShard(groups, (id) => id).size, 2);
  for (const id of groups) await repo.say(id, bob);
  const hidden = groups[3] ?? '';
  await repo.conversations.updateMemberChoices({ userId: ann, conversationId: hidden, hidden: true });
  const expected = groups.filter((id) => id !== hidden).toReversed();

  const pages = async () => {
    const listed: string[] = [];
    let cursor: string | undefined;
    do {
      const page: Awaited<ReturnType<typeof repo.list>> = await repo.list(ann, {
        limit: 5,
        ...(cursor ? { cursor } : {}),
      });
      listed.push(...page.conversations.map(idOf));
      for (const one of page.conversations) assert.equal(one.unreadCount, idOf(one) === '1' ? 0 : 1);
      cursor = page.nextCursor;
    } while (cursor);
    return listed.filter((id) => id !== '1');
  };
  await parts.cache.change((touch) => touch([`user:conversations:full:${ann}`]));
  assert.deepEqual(await pages(), expected);
  assert.deepEqual(await pages(), expected);

  const { conversations } = await repo.sync(ann);
  assert.deepEqual(new Set(conversations.map(({ conversation }) => idOf(conversation))), new Set(groups));
  const { unreadCounts } = await repo.conversations.batchGetUnreadCounts({
    userId: ann,
    conversationIds: [],
  });
  assert.equal(
    Object.values(unreadCounts).reduce((sum, count) => sum + count, 0),
    12,
  );
  const marks = groups.map((conversationId) => ({ userId: ann, conversationId, seqId: 1, sessionId: '' }));
  const { errors } = await repo.conversations.batchUpdateReadPointers({ updates: marks });
  assert.ok(errors.every((error) => error === 0));
  assert.deepEqual(
    (await repo.conversations.batchGetUnreadCounts({ userId: ann, conversationIds: groups })).unreadCounts,
    Object.fromEntries(groups.map((id) => [id, 0])),
  );
});

test('a batch of messages to conversations in several databases is stored in each, and checked in each', async () => {
  const [ann, bob] = [await repo.newGuest(), await repo.newGuest()];
  const groups: string[] = [];
  for (let n = 0; n < 8; n += 1) groups.push(await repo.newGroup([ann, bob]));
  assert.equal(parts.databases.byShard(groups, (id) => id).size, 2);
  const saved = await repo.save(...groups.map((id) => repo.newMessage(id, ann)));
  assert.deepEqual(
    saved.map(({ error, seqId }) => [error, seqId]),
    groups.map(() => [0, 1]),
  );
  const { wrong, checked } = await repo.conversations.reconcileConversations({
    afterConversationId: '',
    limit: 500,
    mend: false,
  });
  assert.deepEqual(wrong, []);
  assert.ok(checked > groups.length);
});
