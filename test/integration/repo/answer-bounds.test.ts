import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { eventually } from '../../support/eventually.ts';
import { refusedWith } from '../../support/refused-with.ts';
import { openRepoService } from '../../support/repo/repo-service.ts';

/** The largest pages that there can be, over gRPC: every field of every row is as long as it may be. */

const { repo, databases } = await openRepoService();

const me = 1_000_000;
const group = 2_000_000;
const wide = '😀';
const largestMember = 1000;
const others = Array.from({ length: largestMember }, (_, n) => me + 1 + n);
const page = { limit: 200, offset: 0 };
const userId = String(me);
/** What so much takes is no matter here. */
const patiently = { deadlineMs: 30_000 };

before(async () => {
  await eventually(() => repo.ready());
  await insert('users', 'id, username, display_name, avatar_url, is_guest, created_at, updated_at', [
    ...[me, ...others].map((id) => [
      id,
      `${id}`.padEnd(50, 'x'),
      wide.repeat(100),
      wide.repeat(2048),
      false,
      1,
      1,
    ]),
  ]);
});

type Row = readonly (string | number | boolean | null)[];

/** A few rows at a time: the largest ones fill a packet soon. */
async function insert(table: string, columns: string, rows: readonly Row[]): Promise<void> {
  for (let from = 0; from < rows.length; from += 50) {
    await databases.users.execute(`INSERT INTO ${table} (${columns}) VALUES ?`, [
      rows.slice(from, from + 50).map((row) => [...row]),
    ]);
  }
}

async function newGroups(ids: readonly number[], owner = me): Promise<void> {
  await insert(
    'conversations',
    `id, type, status, name, avatar_url, description, announcement, owner_id, member_count, invite_by, mute_all,
     max_members, created_at, updated_at`,
    ids.map((id) => [
      id,
      2,
      1,
      wide.repeat(100),
      wide.repeat(2048),
      wide.repeat(1000),
      wide.repeat(2000),
      owner,
      2,
      'admins',
      false,
      2000,
      1,
      1,
    ]),
  );
  await insert(
    'conversation_heads',
    'conversation_id, last_seq_id',
    ids.map((id) => [id, 1]),
  );
  await insert(
    'conversation_members',
    'user_id, conversation_id, role, joined_at',
    ids.map((id) => [owner, id, 3, 1]),
  );
}

const messagesOf = (places: readonly { conversationId: number; seqId: number; senderId: number }[]) =>
  insert(
    'messages',
    `conversation_id, seq_id, id, sender_id, message_type, content, client_msg_id, source_partition, source_offset,
     extra, created_at`,
    places.map(({ conversationId, seqId, senderId }) => [
      conversationId,
      seqId,
      conversationId * 1000 + seqId,
      senderId,
      1,
      wide.repeat(4000),
      `${seqId}`.padStart(64, 'c'),
      0,
      seqId,
      JSON.stringify({ mentions: others.slice(0, 100).map(String) }),
      1,
    ]),
  );

test('two hundred messages of 4,000 four-byte characters, of as many senders, come as one page, alone and together', async () => {
  await newGroups([group]);
  const places = others
    .slice(0, 200)
    .map((senderId, n) => ({ conversationId: group, seqId: n + 1, senderId }));
  await messagesOf(places);
  await databases.users.execute('UPDATE conversation_heads SET last_seq_id = 200 WHERE conversation_id = ?', [
    group,
  ]);
  const request = { conversationId: String(group), userId, limit: 200 };
  const { encoded } = await repo.messages.getMessages(request, patiently);
  assert.ok(encoded.length > 4 * 1024 * 1024, `${encoded.length} bytes`);
  const together = await Promise.all(
    Array.from({ length: 6 }, () => repo.messages.getMessages(request, patiently)),
  );
  for (const answer of together) assert.ok(answer.encoded.equals(encoded));
  const range = { conversationId: String(group), firstSeqId: 1, lastSeqId: 200 };
  assert.equal((await repo.messages.getMessageRange(range)).messages.length, 200);
  await refusedWith(repo.messages.getMessageRange({ ...range, lastSeqId: 201 }), 'INVALID_ARGUMENT');
});

test('two hundred conversations with everything long come as one page', async () => {
  const ids = others.slice(0, 200).map((_, n) => group + 1 + n);
  // A user whose list was not read before, because these rows are stored without clearing caches.
  const owner = me + 7;
  await newGroups(ids, owner);
  await messagesOf(ids.map((conversationId, n) => ({ conversationId, seqId: 1, senderId: others[n] ?? 0 })));
  const request = {
    userId: String(owner),
    ...page,
    updatedSince: 0,
    includeLastMessage: true,
    includeSenderInfo: true,
  };
  const answers = await Promise.all(
    Array.from({ length: 3 }, () => repo.conversations.getUserConversationsWithDetails(request, patiently)),
  );
  for (const { encoded } of answers) assert.ok(encoded.length > 8 * 1024 * 1024, `${encoded.length} bytes`);
  await refusedWith(
    repo.conversations.getUserConversationsWithDetails({ ...request, limit: 201 }),
    'INVALID_ARGUMENT',
  );
});

test('a thousand members with the longest names and avatars come as one page', async () => {
  const conversationId = group + 5000;
  await newGroups([conversationId]);
  await insert(
    'conversation_members',
    'user_id, conversation_id, role, joined_at',
    others.map((id) => [id, conversationId, 1, 1]),
  );
  const request = { userId, conversationId: String(conversationId), limit: 1000, offset: 0, memberIds: [] };
  const { members, nextCursor } = await repo.conversations.getConversationMembers(request);
  assert.equal(members.length, 1000);
  const rest = await repo.conversations.getConversationMembers({ ...request, cursor: nextCursor });
  assert.deepEqual([rest.members.length, rest.hasMore], [1, false]);
});

test('friends with long remarks, requests with long texts, blocks and sessions come in pages of two hundred', async () => {
  await insert(
    'friendships',
    'user_id, friend_id, remark, created_at',
    others.map((id) => [me, id, wide.repeat(100), 1]),
  );
  await insert(
    'friendship_requests',
    'id, requester_id, target_id, status, message, pair_key, created_at, updated_at, expires_at',
    others.map((id, n) => [n + 1, id, me, 0, wide.repeat(500), `${n}`, 1, 1, Date.now() + 60_000]),
  );
  await insert(
    'user_blocks',
    'user_id, blocked_id, created_at',
    others.map((id) => [me, id, 1]),
  );
  const { friends } = await repo.friendships.getUserFriends({ userId, ...page, friendId: '' });
  const { requests } = await repo.friendships.listFriendRequests({ userId, outgoing: false, ...page });
  const { users } = await repo.friendships.listBlocks({ userId, ...page });
  assert.deepEqual([friends.length, requests.length, users.length], [200, 200, 200]);
});

test('the ids of friends come in pages, however many friends somebody has', async () => {
  const popular = me + 5000;
  const friendless = me + 5001;
  const other = me + 5002;
  // Digits of a cross join: 120,000 rows in one statement.
  const digits = (factor: number, count: number) =>
    Array.from({ length: count }, (_, n) => `SELECT ${n * factor} AS d`).join(' UNION ALL ');
  await databases.users.execute(
    `INSERT INTO friendships (user_id, friend_id, remark, created_at)
     SELECT ${popular}, 9000000 + a.d + b.d + c.d, '', 1
     FROM (${digits(1, 100)}) a CROSS JOIN (${digits(100, 100)}) b CROSS JOIN (${digits(10_000, 12)}) c`,
  );
  await insert('friendships', 'user_id, friend_id, remark, created_at', [[other, me, '', 1]]);
  const userIds = [other, friendless, popular].map(String);
  const counts: number[][] = [];
  const seen = new Set<string>();
  let cursor: string | undefined;
  do {
    const { friends, nextCursor } = await repo.friendships.batchGetFriendIds({ userIds, cursor });
    assert.deepEqual(
      friends.map((one) => one.userId),
      userIds,
    );
    counts.push(friends.map(({ friendIds }) => friendIds.length));
    for (const { friendIds } of friends) for (const id of friendIds) seen.add(id);
    cursor = nextCursor;
  } while (cursor !== undefined);
  assert.deepEqual(counts, [
    [0, 0, 100_000],
    [1, 0, 20_000],
  ]);
  assert.equal(seen.size, 120_001);
});
