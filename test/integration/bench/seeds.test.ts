import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeeds } from '../../../bench/fixtures/seeds.ts';
import { atEnd } from '../../support/at-end.ts';
import { openConversationRepo } from '../../support/repo/open-repo.ts';

const { repo } = await openConversationRepo();
const seeds = createSeeds(repo.url, () => undefined);
atEnd(seeds.close);
const people = await Promise.all([repo.newGuest(), repo.newGuest(), repo.newGuest()]);

/** Heads, counts and pointers against the rows they tell about, of every conversation. */
async function discrepancies(): Promise<unknown[]> {
  const wrong: unknown[] = [];
  let afterConversationId = '';
  do {
    const page = await repo.conversations.reconcileConversations({
      afterConversationId,
      limit: 1000,
      mend: false,
    });
    wrong.push(...page.wrong);
    afterConversationId = page.nextAfterConversationId;
  } while (afterConversationId !== '');
  return wrong;
}

test('a seeded group is one like any other: listed, read at any depth, written to', async () => {
  const id = await seeds.group('long', people, 25_000);
  const [ann = '', bob = ''] = people;
  const { conversations } = await repo.list(bob);
  const [listed] = conversations;
  assert.equal(listed?.conversation?.id, id);
  assert.equal(listed?.conversation?.lastSeqId, 25_000);
  assert.equal(listed?.conversation?.memberCount, 3);
  assert.equal(listed?.lastMessage?.seqId, 25_000);
  assert.equal(listed?.unreadCount, 1);
  await repo.say(id, ann);
  assert.deepEqual(await seeds.heads(bob), [[id, 25_001]]);
  assert.deepEqual(await discrepancies(), []);

  const [counted] = await repo.databases.users.query<{ messages: number; seqs: number; ids: number }>(
    `SELECT COUNT(*) AS messages, COUNT(DISTINCT seq_id) AS seqs, COUNT(DISTINCT id) AS ids FROM messages WHERE conversation_id = ?`,
    [Number(id)],
  );
  assert.deepEqual(counted, { messages: 25_001, seqs: 25_001, ids: 25_001 });
});

test('many groups of the same people keep every rule, and never get an id that is taken', async () => {
  const before = await seeds.heads(people[0] ?? '');
  await seeds.groups('first', people, 4001);
  await seeds.groups('second', people, 10);
  const heads = await seeds.heads(people[0] ?? '');
  assert.equal(heads.length, before.length + 4011);
  assert.ok(heads.slice(0, -before.length - 1).every(([, head]) => head === 3 || head > 25_000));
  assert.deepEqual(await discrepancies(), []);
});

test('seeded groups with words are found by these, and keep every rule', async () => {
  await seeds.library('library', people, 4, 60);
  const { hits } = await repo.search.searchMessages({ userId: people[0] ?? '', query: 'w1 w2', limit: 0 });
  assert.ok(hits.length > 0);
  assert.ok(hits.every(({ message }) => / w1 /.test(` ${message?.content} `)));
  assert.deepEqual(await discrepancies(), []);
});

test('users who are added are members of the world room', async () => {
  await seeds.growUsers(12_345);
  assert.equal(await seeds.users(), 12_345);
  const [world] = await repo.databases.users.query<{ members: number; counted: number; pointers: number }>(
    `SELECT (SELECT COUNT(*) FROM conversation_members WHERE conversation_id = 1) AS members,
       (SELECT COUNT(*) FROM user_read_pointers WHERE conversation_id = 1) AS pointers,
       member_count AS counted FROM conversations WHERE id = 1`,
  );
  assert.deepEqual(world, { members: 12_345, pointers: 12_345, counted: 12_345 });
  assert.deepEqual(await discrepancies(), []);
});

test('users who are added are found by every part of their names', async () => {
  await seeds.growUsers((await seeds.users()) + 1000);
  const [found] = await repo.databases.users.query<{
    expected: number;
    rows_there: number;
    matching: number;
  }>(
    `SELECT (SELECT SUM(CHAR_LENGTH(username) - 1) FROM users WHERE status = 1) AS expected, COUNT(*) AS rows_there,
       SUM(RIGHT(u.username, CHAR_LENGTH(s.suffix)) = s.suffix AND s.suffix <> u.username) AS matching
     FROM username_suffixes s JOIN users u ON u.id = s.user_id`,
  );
  assert.ok(found);
  assert.ok(found.expected > 11_000);
  assert.deepEqual(found, { expected: found.expected, rows_there: found.expected, matching: found.expected });
});
