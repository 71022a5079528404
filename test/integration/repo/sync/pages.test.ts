import assert from 'node:assert/strict';
import { test } from 'node:test';
import { overlapMs } from '../../../../services/repo/storage/change-time.ts';
import { mapConcurrently } from '../../../support/map-concurrently.ts';
import { idOf } from '../../../support/repo/conversation-parts.ts';
import { openConversationRepo } from '../../../support/repo/open-repo.ts';

const { repo } = await openConversationRepo();

type Client = { userId: string; cursors: Record<string, number>; since: number };

/** Conversations of two, which hold one message that both have read. */
async function newConversations(
  userIds: readonly string[],
  count: number,
): Promise<{ ids: string[]; cursors: Record<string, number> }> {
  const ids = await mapConcurrently(Array.from({ length: count }), () => repo.newConversation(userIds));
  const [me = ''] = userIds;
  for (let from = 0; from < count; from += 1000) {
    await repo.save(...ids.slice(from, from + 1000).map((id) => repo.newMessage(id, me)));
  }
  await sql(`UPDATE user_read_pointers SET updated_at = 1 WHERE user_id = ${me}`);
  return { ids, cursors: Object.fromEntries(ids.map((id) => [id, 1])) };
}

const sql = (statement: string) => repo.databases.conversations.query(statement);

/** All that a continuing client gets, with the time of each answer or with its own time. */
async function askOn(
  { userId, cursors, since }: Client,
  options: { follows: boolean; limitTotal?: number },
): Promise<{ changed: Set<string>; messages: number; recalled: Set<string>; pages: number; since: number }> {
  const told = { changed: new Set<string>(), messages: 0, recalled: new Set<string>(), pages: 0, since };
  for (let more = true; more; ) {
    const answer = await repo.conversations.syncConversations({
      userId,
      cursors,
      changes: {},
      since: options.follows ? told.since : since,
      limitPerConversation: 0,
      limitTotal: options.limitTotal ?? 0,
    });
    for (const { conversation, messages } of answer.conversations) {
      const id = idOf(conversation);
      told.changed.add(id);
      told.messages += messages.length;
      cursors[id] = messages.at(-1)?.seqId ?? cursors[id] ?? 0;
    }
    for (const { conversationId, seqId } of answer.recalled) told.recalled.add(`${conversationId} ${seqId}`);
    told.since = answer.serverTime;
    told.pages += 1;
    assert.ok(told.pages < 50, 'the client asks for ever');
    more = answer.hasMore || (options.follows && answer.moreChanges);
  }
  return told;
}

test('messages come before mere changes, and a client that continues reaches the end, however many conversations changed', async () => {
  const [me = '', ann = ''] = await repo.newUsers(2);
  const { ids, cursors } = await newConversations([me, ann], 2100);
  await sql(`UPDATE conversations SET changed_at = 1000000 WHERE id IN (${ids})`);
  // Stored long after the changes.
  const behind = ids.slice(-3);
  await repo.save(...behind.flatMap((id) => [1, 2, 3, 4].map(() => repo.newMessage(id, ann))));
  for (const follows of [true, false]) {
    const client = { userId: me, cursors: { ...cursors }, since: 10_000 };
    const told = await askOn(client, { follows, limitTotal: 5 });
    assert.deepEqual([told.changed.size, told.messages], [2100, 12]);
    const again = await askOn({ ...client, since: told.since }, { follows });
    assert.equal(again.messages, 0);
    assert.ok(again.changed.size <= 3, 'nothing is told again but what came in the last seconds');
  }
});

test('changes that do not fit into an answer come when its time is used as the next `since`, those of one time together', async () => {
  const [me = '', ann = ''] = await repo.newUsers(2);
  const { ids, cursors } = await newConversations([me, ann], 300);
  const long = '😀'.repeat(2000);
  await sql(`UPDATE conversations SET announcement = '${long}', description = '${'é'.repeat(1000)}'
    WHERE id IN (${ids})`);
  const [last = ''] = ids;
  await repo.save(repo.newMessage(last, ann));
  const database = repo.databases.conversations;
  const { query } = database;
  let largest = 0;
  Object.assign(database, {
    query: async (...args: Parameters<typeof query>) => {
      const rows = await query(...args);
      largest = Math.max(largest, Buffer.byteLength(JSON.stringify(rows)));
      return rows;
    },
  });
  try {
    await sql(`UPDATE conversations SET changed_at = 1000000 + id % 97 WHERE id IN (${ids})`);
    const client = { userId: me, cursors: { ...cursors }, since: 900_000 };
    const told = await askOn(client, { follows: true });
    assert.deepEqual([told.changed.size, told.messages], [300, 1]);
    assert.ok(largest < 4 * 1024 * 1024, `an answer of ${largest} bytes`);

    // A client that keeps its old time terminates, and gets the rest with its next sync.
    const literal = { userId: me, cursors: { ...cursors }, since: 900_000 };
    const first = await askOn(literal, { follows: false });
    assert.ok(first.changed.size < 300 && first.messages === 1);
    const second = await askOn({ ...literal, since: first.since }, { follows: false });
    assert.equal(new Set([...first.changed, ...second.changed]).size, 300);

    await sql(`UPDATE conversations SET changed_at = 2000000 WHERE id IN (${ids})`);
    const tied = await askOn({ ...client, since: 1_900_000 }, { follows: true });
    assert.equal(tied.changed.size, 300);
  } finally {
    Object.assign(database, { query });
  }
});

test('the size of an answer includes the avatars of senders and peers', async () => {
  const [me = ''] = await repo.newUsers(1);
  const others = await repo.newUsers(1400);
  await sql(`UPDATE users SET avatar_url = '${'a'.repeat(2048)}', display_name = '${'é'.repeat(100)}'
    WHERE id IN (${others})`);
  const ids = await mapConcurrently(others, (other) => repo.newConversation([me, other], true));
  const group = await repo.newConversation([me, ...others]);
  for (const some of [others.slice(0, 700), others.slice(700)]) {
    await repo.save(...some.map((other) => repo.newMessage(group, other)));
  }
  const cursors: Record<string, number> = {};
  for (let more = true; more; ) {
    const answer = await repo.conversations.syncConversations({
      userId: me,
      cursors,
      changes: {},
      since: 0,
      limitPerConversation: 2000,
      limitTotal: 0,
    });
    const bytes = Buffer.byteLength(JSON.stringify(answer));
    assert.ok(bytes < 4 * 1024 * 1024, `${bytes} bytes`);
    for (const { conversation, messages } of answer.conversations) {
      cursors[idOf(conversation)] = messages.at(-1)?.seqId ?? cursors[idOf(conversation)] ?? 0;
    }
    more = answer.hasMore;
  }
  assert.deepEqual([Object.keys(cursors).length, cursors[group]], [ids.length + 1, 1400]);
});

test('all recalls are listed, the oldest first, however many there are', async () => {
  const [me = '', ann = ''] = await repo.newUsers(2);
  const id = await repo.newConversation([me, ann]);
  const recall = async (first: number, count: number, at: (seqId: number) => number) => {
    const rows = Array.from({ length: count }, (_, n) => first + n).map(
      (seqId) => `(${id}, ${seqId}, ${seqId}, 1, ${at(seqId)})`,
    );
    await sql(`INSERT INTO message_recalls (conversation_id, seq_id, message_id, recalled_by, recalled_at)
      VALUES ${rows}`);
  };
  await recall(1, 22_000, (seqId) => 1_000_000 + Math.floor(seqId / 7));
  const client = { userId: me, cursors: { [id]: 0 }, since: 900_000 };
  const told = await askOn(client, { follows: true });
  assert.equal(told.recalled.size, 22_000);
  const first = await askOn(client, { follows: false });
  assert.equal(first.pages, 1);
  assert.equal(first.since, 1_000_000 + 20_001 / 7 - ((20_001 / 7) % 1) - 1 + overlapMs);
  const second = await askOn({ ...client, since: first.since }, { follows: false });
  assert.equal(first.recalled.size + second.recalled.size, 22_000);

  await recall(30_001, 20_500, () => 3_000_000);
  await recall(60_001, 3, () => 3_000_001);
  const tied = await askOn({ ...client, since: 2_900_000 }, { follows: true });
  assert.equal(tied.recalled.size, 20_503);
});
