import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { friendRequestStatus } from '../../../lib/domain/enumerations.ts';
import { eventually } from '../../support/eventually.ts';
import { refusedWith } from '../../support/refused-with.ts';
import { idOf } from '../../support/repo/conversation-parts.ts';
import { openConversationRepo } from '../../support/repo/open-repo.ts';
import { createUserParts } from '../../support/repo/user-parts.ts';

const { redis, repo } = await openConversationRepo();
const people = createUserParts(repo);

const execute = (sql: string, values: unknown[] = []) =>
  repo.databases.users.execute(sql, values as Parameters<typeof repo.databases.users.execute>[1]);
const me = 5_000_000;

/** A list of two rows per page: how to read a page of it, and how to add and take away what a number of ours names. */
type List = {
  page(cursor?: string): Promise<{ ids: string[]; nextCursor?: string | undefined }>;
  idOf(n: number): string;
  add(n: number): Promise<unknown>;
  remove(n: number): Promise<unknown>;
};

const inSteps = { limit: 2, offset: 0 };
const group = 77_000_000;
const userOf = (n: number) => me + 100 - n;
const sessionOf = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

/** In every list the row of a greater number stands in front. */
const lists: Record<string, List> = {
  members: {
    async page(cursor) {
      const request = { userId: '', conversationId: String(group), memberIds: [], ...inSteps, cursor };
      const { members, hasMore, nextCursor } = await repo.conversations.getConversationMembers(request);
      assert.equal(hasMore, nextCursor !== undefined);
      return { ids: members.map(({ user }) => user?.id ?? ''), nextCursor };
    },
    idOf: (n) => String(userOf(n)),
    async add(n) {
      await execute(
        `INSERT IGNORE INTO conversations (id, type, status, name, avatar_url, description, announcement, owner_id,
           member_count, invite_by, mute_all, max_members, created_at, updated_at)
         VALUES (${group}, 2, 1, '', '', '', '', 0, 2, 'admins', FALSE, 2000, 0, 0)`,
      );
      await execute(
        'INSERT INTO conversation_members (user_id, conversation_id, role, joined_at) VALUES (?)',
        [[userOf(n), group, 1, 1]],
      );
    },
    remove: (n) => execute('DELETE FROM conversation_members WHERE user_id = ?', [userOf(n)]),
  },
  friends: {
    async page(cursor) {
      const { friends, nextCursor } = await people.getUserFriends({
        userId: String(me),
        friendId: '',
        ...inSteps,
        cursor,
      });
      return { ids: friends.map(({ user }) => user?.id ?? ''), nextCursor };
    },
    idOf: (n) => String(userOf(n)),
    add: (n) =>
      execute('INSERT INTO friendships (user_id, friend_id, remark, created_at) VALUES (?)', [
        [me, userOf(n), '', 1],
      ]),
    remove: (n) => execute('DELETE FROM friendships WHERE friend_id = ?', [userOf(n)]),
  },
  blocks: {
    async page(cursor) {
      const { users, nextCursor } = await people.listBlocks({ userId: String(me), ...inSteps, cursor });
      return { ids: users.map(({ id }) => id), nextCursor };
    },
    idOf: (n) => String(me + n),
    // Some in the same moment.
    add: (n) =>
      execute('INSERT INTO user_blocks (user_id, blocked_id, created_at) VALUES (?)', [
        [me, me + n, Math.floor(n / 3)],
      ]),
    remove: (n) => execute('DELETE FROM user_blocks WHERE blocked_id = ?', [me + n]),
  },
  sessions: {
    async page(cursor) {
      const { sessions, nextCursor } = await people.listSessions({ userId: String(me), ...inSteps, cursor });
      return { ids: sessions.map(({ id }) => id), nextCursor };
    },
    idOf: sessionOf,
    add: (n) =>
      execute(
        `INSERT INTO sessions (id, user_id, refresh_token_hash, user_agent, address, created_at, last_used_at, expires_at)
         VALUES (?)`,
        [[sessionOf(n), me, Buffer.alloc(32), '', '', Math.floor(n / 3), 50 - n, Date.now() + 60_000]],
      ),
    remove: (n) => execute('UPDATE sessions SET revoked_at = 1 WHERE id = ?', [sessionOf(n)]),
  },
  conversations: {
    async page(cursor) {
      const { conversations, hasMore, nextCursor } = await repo.list(String(me), { ...inSteps, cursor });
      assert.equal(hasMore, nextCursor !== undefined);
      return { ids: conversations.map(idOf), nextCursor };
    },
    idOf: (n) => String(group + n),
    async add(n) {
      await execute(
        `INSERT INTO conversations (id, type, status, name, avatar_url, description, announcement, owner_id,
           member_count, invite_by, mute_all, max_members, created_at, updated_at)
         VALUES (?)`,
        [[group + n, 2, 1, 'group', '', '', '', 0, 1, 'admins', false, 2000, 0, Math.floor(n / 3)]],
      );
      await execute('INSERT INTO conversation_heads (conversation_id) VALUES (?)', [group + n]);
      await execute(
        'INSERT INTO conversation_members (user_id, conversation_id, role, joined_at) VALUES (?)',
        [[me, group + n, 1, 1]],
      );
      await redis.client.flushall();
    },
    async remove(n) {
      await execute('DELETE FROM conversation_members WHERE conversation_id = ?', [group + n]);
      await redis.client.flushall();
    },
  },
};

for (const status of [
  undefined,
  friendRequestStatus.pending,
  friendRequestStatus.rejected,
  friendRequestStatus.expired,
]) {
  for (const outgoing of [false, true]) {
    const other = (n: number) => me + 1000 + 100 * (status ?? 9) + n;
    lists[`${outgoing ? 'outgoing' : 'incoming'} requests of status ${status ?? 'any'}`] = {
      async page(cursor) {
        const asked = { userId: String(me), outgoing, status, ...inSteps, cursor };
        const { requests, nextCursor } = await people.listFriendRequests(asked);
        return { ids: requests.map(({ id }) => id), nextCursor };
      },
      idOf: (n) => String(n),
      add: (n) =>
        execute(
          `INSERT INTO friendship_requests (id, requester_id, target_id, status, message, pair_key, created_at,
             updated_at, expires_at) VALUES (?)`,
          [
            [
              n,
              ...(outgoing ? [me, other(n)] : [other(n), me]),
              // Some of the expired are marked as such, some not yet.
              status === friendRequestStatus.expired && n % 2
                ? friendRequestStatus.pending
                : (status ?? n % 3),
              '',
              `${n}`,
              1,
              1,
              status === friendRequestStatus.expired ? 1 : Date.now() + 60_000,
            ],
          ],
        ),
      remove: (n) => execute('DELETE FROM friendship_requests WHERE id = ?', [n]),
    };
  }
}

for (const [name, list] of Object.entries(lists)) {
  test(`${name}: rows that keep their position come exactly once, whatever is added or removed between two pages`, async () => {
    const added: number[] = [];
    const add = async (n: number) => {
      added.push(n);
      await list.add(n);
    };
    for (const n of [10, 11, 12, 13, 14, 15, 16, 17, 18, 19]) await add(n);
    const first = await list.page();
    assert.deepEqual(first.ids, [19, 18].map(list.idOf));
    // Gone: one of each page. Come: in front, and behind.
    for (const n of [18, 17, 12]) await list.remove(n);
    for (const n of [30, 31, 9]) await add(n);
    const second = await list.page(first.nextCursor);
    assert.deepEqual(second.ids, [16, 15].map(list.idOf));
    // The very row that the cursor was taken from.
    await list.remove(15);
    const found: string[] = [];
    for (let cursor = second.nextCursor; cursor !== undefined; ) {
      const page = await list.page(cursor);
      found.push(...page.ids);
      cursor = page.nextCursor;
    }
    assert.deepEqual(found, [14, 13, 11, 10, 9].map(list.idOf));
    assert.deepEqual((await list.page(first.nextCursor)).ids, [16, 14].map(list.idOf), 'it holds still');
    for (const n of added) await list.remove(n);
  });

  test(`${name}: a cursor of another list is refused`, async () => {
    for (const cursor of ['', 'x', 'W10', Buffer.from('["other",1]').toString('base64url')]) {
      await refusedWith(list.page(cursor), 'INVALID_ARGUMENT');
    }
  });
}

test('a page of conversations after a cursor is the same from the database and from the caches, with its messages', async () => {
  const [ann = '', bob = ''] = [await repo.newGuest(), await repo.newGuest()];
  const ids: string[] = [];
  for (let n = 0; n < 5; n += 1) {
    const id = await repo.newGroup([ann, bob]);
    await repo.say(id, bob, `text ${n}`);
    ids.unshift(id);
  }
  const { nextCursor: cursor } = await repo.list(ann, { limit: 2 });
  const newest = ids[0] ?? '';
  for (const updatedSince of [0, 1]) {
    await redis.client.flushall();
    const cold = await repo.list(ann, { limit: 2, cursor, updatedSince });
    await eventually(async () => (await redis.client.exists(`user:conversations:full:${ann}`)) === 1);
    const hot = await repo.list(ann, { limit: 2, cursor, updatedSince });
    assert.deepEqual(hot, cold);
    assert.deepEqual(cold.conversations.map(idOf), ids.slice(2, 4));
    assert.deepEqual(
      cold.conversations.map(({ lastMessage }) => lastMessage?.content),
      ['text 2', 'text 1'],
    );
  }
  // What moves to the front is not met again, and what changed since tells of it.
  const { conversations: before } = await repo.list(ann, { limit: 1 });
  const since = before[0]?.conversation?.updatedAt ?? 0;
  const moved = ids[4] ?? '';
  await repo.say(moved, bob, 'moves up');
  const rest = await repo.list(ann, { limit: 50, cursor });
  assert.deepEqual(rest.conversations.map(idOf).slice(0, 2), ids.slice(2, 4));
  const changed = await repo.list(ann, { updatedSince: since });
  assert.deepEqual(changed.conversations.map(idOf), [moved, newest]);
});

test('a page behind a cursor has a tag that stays until the page changes', async () => {
  const [ann = '', bob = ''] = [await repo.newGuest(), await repo.newGuest()];
  for (let n = 0; n < 4; n += 1) await repo.newGroup([ann, bob], {});
  const { nextCursor: cursor } = await repo.list(ann, { limit: 2 });
  const { tag } = await repo.list(ann, { limit: 2, cursor });
  assert.notEqual(tag, (await repo.list(ann, { limit: 2 })).tag);
  const again = await repo.list(ann, { limit: 2, cursor, knownTag: tag });
  assert.deepEqual([again.unchanged, again.nextCursor], [true, undefined]);
  await repo.newGroup([ann, bob]);
  assert.equal((await repo.list(ann, { limit: 2, cursor, knownTag: tag })).unchanged, true);
});

test('a long cold list is read behind a cursor with all its details', async () => {
  const ann = await repo.newGuest();
  const many = Array.from({ length: 120 }, (_, n) => 88_000_000 + n);
  const groups = many.map((id) => [id, 2, 1, `${id}`, '', '', '', 0, 1, 'admins', false, 9, 0, id]);
  await execute(
    `INSERT INTO conversations (id, type, status, name, avatar_url, description, announcement, owner_id,
       member_count, invite_by, mute_all, max_members, created_at, updated_at) VALUES ?`,
    [groups],
  );
  await execute('INSERT INTO conversation_heads (conversation_id) VALUES ?', [many.map((id) => [id])]);
  await execute('INSERT INTO conversation_members (user_id, conversation_id, role, joined_at) VALUES ?', [
    many.map((id) => [Number(ann), id, 1, 1]),
  ]);
  await redis.client.flushall();
  const first = await repo.list(ann, { limit: 110 });
  await redis.client.flushall();
  const { query } = repo.databases.conversations;
  let queries = 0;
  repo.databases.conversations.query = (sql, values) => {
    queries += 1;
    return query(sql, values);
  };
  const rest = await repo
    .list(ann, { limit: 50, cursor: first.nextCursor })
    .finally(() => Object.assign(repo.databases.conversations, { query }));
  assert.equal(queries, 1, 'however far down');
  const found = [...first.conversations, ...rest.conversations];
  assert.deepEqual(
    found.map(({ conversation }) => conversation?.name).slice(-10),
    many.slice(0, 10).toReversed().map(String),
  );
  assert.equal(new Set(found.map(idOf)).size, 121, 'the world room too');
  assert.equal(rest.hasMore, false);
  await refusedWith(repo.list(ann, { offset: 1, cursor: first.nextCursor }), 'INVALID_ARGUMENT');
  await refusedWith(
    repo.list(ann, { cursor: Buffer.from(randomUUID()).toString('base64url') }),
    'INVALID_ARGUMENT',
  );
});
