import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetrics } from '../../../../lib/metrics.ts';
import { createBlocks } from '../../../../services/repo/friends/blocks.ts';
import { createUserSettings } from '../../../../services/repo/users/user-settings.ts';
import { createMessageParts, type MessageParts } from '../../../support/repo/message-parts.ts';
import { openMessageRepo } from '../../../support/repo/open-repo.ts';

const { repo } = await openMessageRepo();

test('sending moves the sender’s read pointer, which never moves back', async () => {
  const { users, id } = await repo.newConversationOf(2);
  const [ann, bob] = users;
  await repo.save(repo.newMessage(id, ann), repo.newMessage(id, bob), repo.newMessage(id, ann));
  const pointers = () =>
    repo.databases.users.query(
      'SELECT user_id, last_read_seq_id FROM user_read_pointers WHERE conversation_id = ? ORDER BY user_id',
      [Number(id)],
    );
  const expected = [
    { user_id: Number(ann), last_read_seq_id: 3 },
    { user_id: Number(bob), last_read_seq_id: 2 },
  ];
  assert.deepEqual(await pointers(), expected);
  await repo.databases.users.execute('UPDATE user_read_pointers SET last_read_seq_id = 9 WHERE user_id = ?', [
    Number(bob),
  ]);
  await repo.save(repo.newMessage(id, bob));
  assert.deepEqual(await pointers(), [expected[0], { user_id: Number(bob), last_read_seq_id: 9 }]);
});

test('sending gives a read receipt to the authors of the newly read messages', async () => {
  const { users, id } = await repo.newConversationOf(4);
  const [ann, bob, cy, dan] = users as [string, string, string, string];
  /** Stores messages of these senders, by this process or another one, and answers whom each told. */
  const send = async (senders: readonly string[], process: MessageParts = repo) => {
    const messages = senders.map((sender) => repo.newMessage(id, sender));
    const { results } = await process.messages.saveMessages({ messages, recipientsOf: [] });
    return results.map(({ readFor }) => readFor.toSorted());
  };
  const another = () => createMessageParts({ ...repo, metrics: createMetrics('another') });

  assert.deepEqual(await send([ann]), [[]]);
  assert.deepEqual(await send([bob]), [[ann]]);
  // First nothing new, then the messages sent since.
  assert.deepEqual(await send([bob]), [[]]);
  assert.deepEqual(await send([ann]), [[bob]]);
  // In one batch, each message reads the earlier ones, and causes one receipt.
  assert.deepEqual(await send([cy, ann, cy, dan]), [[], [cy], [ann, bob], [ann, bob, cy]]);
  // A process that has not stored the messages finds out the same; one that has a gap too.
  assert.deepEqual(await send([bob], another()), [[ann, cy, dan]]);
  assert.deepEqual(await send([ann]), [[bob, cy, dan]]);
  // A retry moves nothing, a redelivery may tell more but not fewer.
  const message = repo.newMessage(id, cy, { clientMsgId: 'again' });
  assert.deepEqual((await repo.save(message))[0]?.readFor.toSorted(), [ann, bob, dan]);
  assert.deepEqual((await repo.save(repo.newMessage(id, cy, { clientMsgId: 'again' })))[0]?.readFor, []);
  assert.deepEqual((await repo.save(message))[0]?.readFor.toSorted(), [ann, bob, dan]);
});

test('the authors of newly read messages are looked up while no head is locked, and a failure of it fails no message', async () => {
  const { users, id } = await repo.newConversationOf(2);
  const [ann, bob] = users;
  await repo.save(repo.newMessage(id, ann));
  const another = () => createMessageParts({ ...repo, metrics: createMetrics('another') });
  const database = repo.databases.messagesOf(id);
  const { batch, transaction } = database;
  const isSearch = (sql: string) => sql.includes('DISTINCT');
  const searches: string[] = [];
  try {
    Object.assign(database, {
      batch: async (sql: string) => {
        if (!isSearch(sql)) return batch(sql);
        await database.query(
          `SELECT 1 FROM conversation_heads WHERE conversation_id = ${id} FOR UPDATE NOWAIT`,
        );
        searches.push('outside');
        return batch(sql);
      },
      transaction: (work: Parameters<typeof transaction>[0]) =>
        transaction((tx) =>
          work({
            ...tx,
            batchAndCommit: (sql) => {
              if (isSearch(sql)) searches.push('inside');
              return tx.batchAndCommit(sql);
            },
          }),
        ),
    });
    const [answer] = await another().save(repo.newMessage(id, bob));
    assert.deepEqual([answer?.readFor, searches], [[ann], ['outside']]);

    Object.assign(database, {
      batch: (sql: string) => (isSearch(sql) ? Promise.reject(new Error('away')) : batch(sql)),
    });
    const [ok] = await another().save(repo.newMessage(id, ann));
    assert.deepEqual([ok?.error, ok?.seqId, ok?.readFor], [0, 3, []]);
  } finally {
    Object.assign(database, { batch, transaction });
  }
});

test('sending gives no read receipt to users who may not get one, and above 500 members to nobody', async () => {
  const { users, id } = await repo.newConversationOf(3);
  const [ann, bob, cy] = users as [string, string, string];
  const sendAll = async () => {
    const told = [];
    for (const sender of [ann, bob, cy]) {
      told.push((await repo.save(repo.newMessage(id, sender)))[0]?.readFor.toSorted());
    }
    return told;
  };
  await sendAll();
  assert.deepEqual(await sendAll(), [
    [bob, cy],
    [ann, cy],
    [ann, bob],
  ]);
  const blocks = createBlocks(repo);
  const settings = createUserSettings(repo);
  await blocks.blockUser({ userId: bob, blockedId: ann });
  assert.deepEqual(await sendAll(), [[cy], [cy], [ann, bob]]);
  await settings.updateUserSettings({ userId: cy, readReceipts: false });
  assert.deepEqual(await sendAll(), [[], [], []]);
  await blocks.unblockUser({ userId: bob, blockedId: ann });
  assert.deepEqual(await sendAll(), [[bob], [ann], []]);
  const count = (members: number) =>
    repo.databases.users.execute('UPDATE conversations SET member_count = ? WHERE id = ?', [
      members,
      Number(id),
    ]);
  await count(501);
  assert.deepEqual(await sendAll(), [[], [], []]);

  const [dan, eve] = (await repo.newUsers(2)) as [string, string];
  const single = await repo.newConversation([dan, eve], true);
  await repo.save(repo.newMessage(single, dan));
  assert.deepEqual((await repo.save(repo.newMessage(single, eve)))[0]?.readFor, [dan]);
});

test('if this process does not know the newly read messages, all online members get the receipt', async () => {
  const { users, id } = await repo.newConversationOf(4);
  const [ann, bob, cy, dan] = users as [string, string, string, string];
  await Promise.all([ann, bob, cy, dan].map((user) => repo.goOnline(user, 'far')));
  await repo.save(...Array.from({ length: 1000 }, () => repo.newMessage(id, ann)));
  await repo.save(repo.newMessage(id, ann));
  const [read] = await repo.save(repo.newMessage(id, dan));
  assert.deepEqual(read?.readFor.toSorted(), [ann, bob, cy].toSorted());
});
