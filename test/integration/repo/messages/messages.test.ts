import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Code, codeFromNumber } from '../../../../lib/errors.ts';
import type { NewMessage, SavedMessage } from '../../../../lib/gen/im_repo/v1/message.ts';
import { createMetrics } from '../../../../lib/metrics.ts';
import { createBlocks } from '../../../../services/repo/friends/blocks.ts';
import { databaseTime } from '../../../../services/repo/storage/change-time.ts';
import { createUserSettings } from '../../../../services/repo/users/user-settings.ts';
import { eventually } from '../../../support/eventually.ts';
import { refusedWith } from '../../../support/refused-with.ts';
import { createMessageParts, type MessageParts } from '../../../support/repo/message-parts.ts';
import { openMessageRepo } from '../../../support/repo/open-repo.ts';

const { redis, repo } = await openMessageRepo();

const seqs = (results: readonly SavedMessage[]) => results.map(({ seqId }) => seqId);
const codes = (results: readonly SavedMessage[]): (Code | undefined)[] =>
  results.map(({ error }) => codeFromNumber(error));
const newGroup = async (size: number) => {
  const users = await repo.newUsers(size);
  return { users: users as [string, string, ...string[]], id: await repo.newConversation(users) };
};
const history = async (userId: string, conversationId: string) =>
  (await repo.messages.getMessages({ userId, conversationId, limit: 200 })).messages;

test('messages of one batch are numbered in their order, each conversation by itself', async () => {
  const { users, id } = await newGroup(2);
  const other = await repo.newConversation(users);
  const [ann, bob] = users;
  const results = await repo.save(
    repo.newMessage(id, ann),
    repo.newMessage(other, bob),
    repo.newMessage(id, bob),
    repo.newMessage(id, ann),
  );
  assert.deepEqual(seqs(results), [1, 1, 2, 3]);
  const ids = results.map(({ messageId }) => messageId);
  assert.deepEqual(
    ids,
    ids.toSorted((a, b) => a - b),
  );
  assert.deepEqual(seqs(await repo.save(repo.newMessage(id, bob))), [4]);
});

test('a batch of 1,000 keeps every byte', async () => {
  const { users, id } = await newGroup(2);
  const texts = [
    'it\'s \\ "quoted"',
    'NUL \u0000 and \u001a',
    'Ünï 👩‍👩‍👧',
    '\n\r\t',
    "'; DROP TABLE messages; --",
    '?',
    '@a := 1',
  ];
  const batch = Array.from({ length: 1000 }, (_, n) =>
    repo.newMessage(id, users[n % 2] ?? '', { content: texts[n % texts.length] ?? '' }),
  );
  assert.deepEqual(
    seqs(await repo.save(...batch)),
    Array.from({ length: 1000 }, (_, n) => n + 1),
  );
  const messages = [];
  for (let seqId = 1; seqId <= 1000; seqId += 200) {
    const range = { conversationId: id, firstSeqId: seqId, lastSeqId: seqId + 199 };
    messages.push(...(await repo.messages.getMessageRange(range)).messages);
  }
  assert.deepEqual(
    messages.map(({ content, clientMsgId }) => [content, clientMsgId]),
    batch.map(({ content, clientMsgId }) => [content, clientMsgId]),
  );
});

test('one bad message harms none of its batch, and leaves no gap', async () => {
  const { users, id } = await newGroup(2);
  const [stranger] = (await repo.newUsers(1)) as [string];
  const [ann] = users;
  const bad = (fields: Partial<NewMessage>) => repo.newMessage(id, ann, fields);
  const results = await repo.save(
    repo.newMessage(id, ann),
    bad({ content: '😀'.repeat(4001) }),
    bad({ content: '' }),
    bad({ clientMsgId: '' }),
    bad({ clientMsgId: 'é'.repeat(33) }),
    bad({ messageType: 4 }),
    bad({ replyToSeqId: 9 }),
    bad({ mentions: ['x'] }),
    repo.newMessage(id, stranger),
    repo.newMessage('nonsense', ann),
    repo.newMessage('12345', ann),
    bad({ content: '😀'.repeat(4000), replyToSeqId: 1 }),
  );
  assert.deepEqual(codes(results), [
    undefined,
    'MESSAGE_TOO_LARGE',
    ...Array.from({ length: 6 }, () => 'INVALID_ARGUMENT'),
    'NOT_CONVERSATION_MEMBER',
    'CONVERSATION_NOT_FOUND',
    'CONVERSATION_NOT_FOUND',
    undefined,
  ]);
  assert.deepEqual([results[0]?.seqId, results.at(-1)?.seqId], [1, 2]);
});

test('a retry gets the first one’s seq and goes to nobody; a redelivery is delivered again', async () => {
  const { users, id } = await newGroup(2);
  const [ann, bob] = users;
  const first = repo.newMessage(id, ann, { clientMsgId: 'same' });
  const [stored] = await repo.save(first);
  const retry = repo.newMessage(id, ann, { clientMsgId: 'same', content: 'changed' });
  const answer = await repo.messages.saveMessages({ messages: [retry], recipientsOf: [] });
  assert.deepEqual(answer.results, [{ ...stored, duplicate: true }]);
  assert.deepEqual([answer.recipients, answer.senders], [[], []]);

  const again = await repo.messages.saveMessages({ messages: [first], recipientsOf: [] });
  assert.deepEqual(again.results, [stored]);
  assert.deepEqual(
    again.recipients.map(({ conversationId }) => conversationId),
    [id],
  );
  assert.deepEqual(
    again.senders.map(({ id: user }) => user),
    [ann],
  );

  // Another sender's, and another case, are other messages.
  const others = await repo.save(
    repo.newMessage(id, bob, { clientMsgId: 'same' }),
    repo.newMessage(id, ann, { clientMsgId: 'SAME' }),
    repo.newMessage(id, ann, { clientMsgId: 'same ' }),
  );
  assert.deepEqual(
    others.map(({ seqId, duplicate }) => [seqId, duplicate]),
    [
      [2, false],
      [3, false],
      [4, false],
    ],
  );
});

test('the same clientMsgId twice in a batch is stored once', async () => {
  const { users, id } = await newGroup(2);
  const results = await repo.save(
    repo.newMessage(id, users[0], { clientMsgId: 'twice' }),
    repo.newMessage(id, users[0], { clientMsgId: 'twice' }),
    repo.newMessage(id, users[0]),
  );
  assert.deepEqual(
    results.map(({ seqId, duplicate }) => [seqId, duplicate]),
    [
      [1, false],
      [1, true],
      [2, false],
    ],
  );
});

test('an answer to what is stored already does not depend on still being a member', async () => {
  const { users, id } = await newGroup(3);
  const [, , leaving] = users as [string, string, string];
  const message = repo.newMessage(id, leaving);
  const [stored] = await repo.save(message);
  await repo.removeMember(id, leaving);
  assert.deepEqual(await repo.save(message), [stored]);
  assert.deepEqual(codes(await repo.save(repo.newMessage(id, leaving))), ['NOT_CONVERSATION_MEMBER']);
});

test('a removed member’s retry with an old clientMsgId learns nothing', async () => {
  const { users, id } = await newGroup(3);
  const [, , leaving] = users as [string, string, string];
  await repo.save(repo.newMessage(id, leaving, { clientMsgId: 'old', content: 'secret' }));
  const retry = repo.newMessage(id, leaving, { clientMsgId: 'old' });
  assert.equal((await repo.messages.saveMessage({ message: retry })).message?.content, 'secret');
  await repo.removeMember(id, leaving);
  assert.deepEqual(await repo.save(retry), await repo.save(repo.newMessage(id, leaving)));
  await refusedWith(repo.messages.saveMessage({ message: retry }), 'NOT_CONVERSATION_MEMBER');
  await repo.databases.users.execute('UPDATE conversations SET status = 2 WHERE id = ?', [Number(id)]);
  await refusedWith(repo.messages.saveMessage({ message: retry }), 'CONVERSATION_NOT_FOUND');
});

test('two callers on the same conversations leave no gap and no repeat', async () => {
  const users = await repo.newUsers(4);
  const ids = await Promise.all(Array.from({ length: 10 }, () => repo.newConversation(users)));
  const call = (n: number) =>
    repo.save(
      ...ids
        .toSorted(() => (n % 2) - 0.5)
        .flatMap((id) => [
          repo.newMessage(id, users[n % 4] ?? ''),
          repo.newMessage(id, users[(n + 1) % 4] ?? ''),
        ]),
    );
  const all = (await Promise.all(Array.from({ length: 12 }, (_, n) => call(n)))).flat();
  assert.deepEqual(codes(all).filter(Boolean), []);
  for (const id of ids) {
    const { messages } = await repo.messages.getMessageRange({
      conversationId: id,
      firstSeqId: 1,
      lastSeqId: 100,
    });
    assert.deepEqual(
      messages.map(({ seqId }) => seqId),
      Array.from({ length: 24 }, (_, n) => n + 1),
    );
  }
});

test('after a removal nothing of the removed one is stored, and nothing goes to it', async () => {
  const { users, id } = await newGroup(3);
  const [ann, , cy] = users as [string, string, string];
  await online(cy, 'cy');
  const sending = Array.from({ length: 10 }, () =>
    repo.messages.saveMessages({
      messages: [repo.newMessage(id, ann), repo.newMessage(id, cy)],
      recipientsOf: [],
    }),
  );
  await repo.removeMember(id, cy);
  const [late] = await repo.save(repo.newMessage(id, cy));
  assert.equal(codeFromNumber(late?.error ?? 0), 'NOT_CONVERSATION_MEMBER');
  const after = await repo.messages.saveMessages({ messages: [repo.newMessage(id, ann)], recipientsOf: [] });
  assert.deepEqual(usersOf(after.recipients[0]?.gateways ?? [], 'gateway-cy'), []);
  await Promise.all(sending);
  const { messages } = await repo.messages.getMessageRange({
    conversationId: id,
    firstSeqId: 1,
    lastSeqId: 100,
  });
  const ofCy = messages.filter(({ sender }) => sender?.id === cy).map(({ seqId }) => seqId);
  assert.ok((ofCy.at(-1) ?? 0) < (after.results[0]?.seqId ?? 0));
});

test('who joined a moment ago is named with the messages, and nobody who joined before', async () => {
  const { users, id } = await newGroup(2);
  const newcomers = async (process: MessageParts = repo) => {
    const { recipients } = await process.messages.saveMessages({
      messages: [repo.newMessage(id, users[0])],
      recipientsOf: [],
    });
    return recipients[0]?.newcomerIds;
  };
  const another = () => createMessageParts({ ...repo, metrics: createMetrics('another') });
  const join = async (age: number): Promise<string> => {
    const [user = ''] = await repo.newUsers(1);
    await repo.databases.users.batch(
      `UPDATE conversation_heads SET member_version = member_version + 1 WHERE conversation_id = ${id};
       INSERT INTO conversation_members (user_id, conversation_id, role, joined_at, changed_at)
       VALUES (${user}, ${id}, 1, ${databaseTime} - ${age}, ${databaseTime} - ${age})`,
    );
    return user;
  };
  assert.deepEqual(await newcomers(), []);
  // The list of this process may be hours old.
  const dan = await join(3_600_000);
  assert.deepEqual(await newcomers(), []);
  const cy = await join(0);
  assert.deepEqual(await newcomers(), [cy]);
  assert.deepEqual(await newcomers(), [cy]);
  assert.deepEqual(await newcomers(another()), [cy]);
  // Whose role changes is no newcomer.
  await repo.databases.users.batch(
    `UPDATE conversation_heads SET member_version = member_version + 1 WHERE conversation_id = ${id};
     UPDATE conversation_members SET changed_at = ${databaseTime} WHERE user_id = ${dan}`,
  );
  assert.deepEqual(await newcomers(), [cy]);
  await repo.removeMember(id, users[1]);
  assert.deepEqual(await newcomers(), [cy]);
  // The first members of a new conversation are told of it otherwise.
  await repo.databases.users.query(`UPDATE conversations SET created_at = ${databaseTime} WHERE id = ${id}`);
  assert.deepEqual(await newcomers(another()), []);
});

test('a page of members names those of it who joined a moment ago', async () => {
  const { users, id } = await newGroup(2);
  await repo.fanout.resolveMemberPage({ conversationId: id, afterUserId: '', limit: 1 });
  const [cy = ''] = await repo.newUsers(1);
  await repo.databases.users.batch(
    `UPDATE conversation_heads SET member_version = member_version + 1 WHERE conversation_id = ${id};
     INSERT INTO conversation_members (user_id, conversation_id, role, joined_at, changed_at)
     VALUES (${cy}, ${id}, 1, ${databaseTime}, ${databaseTime})`,
  );
  const named: Record<string, string[]> = {};
  for (let afterUserId = '', more = true; more; ) {
    const page = await repo.fanout.resolveMemberPage({ conversationId: id, afterUserId, limit: 1 });
    named[afterUserId] = page.newcomerIds;
    afterUserId = page.nextAfterUserId;
    more = afterUserId !== '';
  }
  const before = ['', ...users.toSorted((a, b) => Number(a) - Number(b))];
  assert.deepEqual(
    named,
    Object.fromEntries(before.map((userId, at) => [userId, at === users.length ? [cy] : []])),
  );
});

test('recipients are the members with a session, by gateway', async () => {
  const { users, id } = await newGroup(3);
  const [ann, bob, cy] = users as [string, string, string];
  await online(ann, 'a');
  await online(bob, 'b');
  const [stranger] = (await repo.newUsers(1)) as [string];
  await online(stranger, 'a');
  const { recipients } = await repo.messages.saveMessages({
    messages: [repo.newMessage(id, ann)],
    recipientsOf: [],
  });
  const [{ gateways = [] } = {}] = recipients;
  assert.deepEqual([usersOf(gateways, 'gateway-a'), usersOf(gateways, 'gateway-b')], [[ann], [bob]]);
  assert.ok(!gateways.flatMap(({ userIds }) => userIds).includes(cy));
  const { queried } = await repo.messages.saveMessages({
    messages: [],
    recipientsOf: [
      { conversationId: id, extraUserIds: [stranger] },
      { conversationId: 'x', extraUserIds: [] },
    ],
  });
  assert.deepEqual(usersOf(queried[0]?.gateways ?? [], 'gateway-a').toSorted(), [ann, stranger].toSorted());
  assert.deepEqual(queried[1]?.gateways, []);
});

test('a muted member, mute-all and a closed single conversation refuse', async () => {
  const { users, id } = await newGroup(3);
  const [owner, bob] = users;
  const sql = repo.databases.users;
  await sql.execute('UPDATE conversation_members SET muted = 1 WHERE user_id = ? AND conversation_id = ?', [
    Number(bob),
    Number(id),
  ]);
  assert.deepEqual(codes(await repo.save(repo.newMessage(id, bob))), ['MEMBER_MUTED']);
  await sql.execute('UPDATE conversations SET mute_all = 1 WHERE id = ?', [Number(id)]);
  assert.deepEqual(codes(await repo.save(repo.newMessage(id, users[2] ?? ''), repo.newMessage(id, owner))), [
    'MEMBER_MUTED',
    undefined,
  ]);
  const single = await repo.newConversation([owner, bob], true);
  for (const [state, code] of [
    [1, 'NOT_FRIENDS'],
    [2, 'BLOCKED'],
    [0, undefined],
  ] as const) {
    await sql.execute('UPDATE conversations SET send_state = ? WHERE id = ?', [state, Number(single)]);
    assert.deepEqual(codes(await repo.save(repo.newMessage(single, bob))), [code]);
  }
});

test('sending is reading, and a pointer never goes back', async () => {
  const { users, id } = await newGroup(2);
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

test('sending tells those whose messages were newly read', async () => {
  const { users, id } = await newGroup(4);
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
  // Nothing new, then what was written since.
  assert.deepEqual(await send([bob]), [[]]);
  assert.deepEqual(await send([ann]), [[bob]]);
  // In one batch each reads what came before, and is told of once.
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

test('who wrote what was newly read is looked up when no head is locked, and its failure fails no message', async () => {
  const { users, id } = await newGroup(2);
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

test('sending tells nobody who may not know, and above 500 members nobody at all', async () => {
  const { users, id } = await newGroup(3);
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

test('a member far behind, whose reading nobody here knows, tells all that are online', async () => {
  const { users, id } = await newGroup(4);
  const [ann, bob, cy, dan] = users as [string, string, string, string];
  await Promise.all([ann, bob, cy, dan].map((user) => online(user, 'far')));
  await repo.save(...Array.from({ length: 1000 }, () => repo.newMessage(id, ann)));
  await repo.save(repo.newMessage(id, ann));
  const [read] = await repo.save(repo.newMessage(id, dan));
  assert.deepEqual(read?.readFor.toSorted(), [ann, bob, cy].toSorted());
});

test('a conversation goes through fan-out above 500 members, and leaves it only when fan-out has caught up', async () => {
  const { users, id } = await newGroup(3);
  const send = async () =>
    (await repo.messages.saveMessages({ messages: [repo.newMessage(id, users[0])], recipientsOf: [] }))
      .recipients[0];
  const progress = async () => (await repo.fanout.getFanoutProgress({ conversationIds: [id] })).progress[0];
  const setMembers = (count: number) =>
    repo.databases.users.execute('UPDATE conversations SET member_count = ? WHERE id = ?', [
      count,
      Number(id),
    ]);
  assert.equal((await send())?.fanout, false);
  await setMembers(501);
  assert.deepEqual([(await send())?.fanout, (await progress())?.fanoutDoneSeq], [true, 1]);
  await setMembers(500);
  assert.equal((await send())?.fanout, true);
  assert.deepEqual(await repo.fanout.setFanoutDone({ conversationId: id, doneSeqId: 99 }), {
    fanoutDoneSeq: 3,
    lastSeqId: 3,
  });
  assert.deepEqual(await repo.fanout.setFanoutDone({ conversationId: id, doneSeqId: 1 }), {
    fanoutDoneSeq: 3,
    lastSeqId: 3,
  });
  assert.equal((await send())?.fanout, false);
  const page = await repo.fanout.resolveMemberPage({ conversationId: id, afterUserId: '', limit: 2 });
  assert.equal(page.nextAfterUserId, users.toSorted((a, b) => Number(a) - Number(b))[1]);
});

test('what was stored for direct delivery is redelivered directly, however large the conversation has become', async () => {
  const { users, id } = await newGroup(3);
  const [ann, bob] = users;
  await online(bob, 'bob');
  const redeliver = async (...messages: NewMessage[]) => {
    const { results, recipients } = await repo.messages.saveMessages({ messages, recipientsOf: [] });
    const reached = recipients[0]?.gateways.flatMap(({ userIds }) => userIds);
    return { direct: results.map(({ direct }) => direct), fanout: recipients[0]?.fanout, reached };
  };
  const small = repo.newMessage(id, ann);
  await repo.save(small);
  await repo.databases.users.execute('UPDATE conversations SET member_count = 501 WHERE id = ?', [
    Number(id),
  ]);
  assert.deepEqual((await redeliver(small)).fanout, false);
  // In the batch that finds the conversation large, and in those after it.
  const large = repo.newMessage(id, ann);
  for (let time = 0; time < 2; time += 1) {
    const { direct, fanout, reached } = await redeliver(small, large);
    assert.deepEqual([direct, fanout], [[true, false], true]);
    assert.ok(reached?.includes(bob) && reached.every((user) => users.includes(user)));
  }
  // The client's own retry still goes to nobody.
  const [retry] = await repo.save(repo.newMessage(id, ann, { clientMsgId: small.clientMsgId }));
  assert.deepEqual([retry?.duplicate, retry?.direct], [true, false]);
  await repo.fanout.setFanoutDone({ conversationId: id, doneSeqId: 2 });
  // Fan-out has passed this one on.
  const { direct, reached } = await redeliver(large);
  assert.deepEqual([direct, reached], [[false], []]);
});

test('the world room is broadcast', async () => {
  const [ann] = (await repo.newUsers(1)) as [string];
  await repo.databases.users.execute(
    'INSERT INTO conversation_members (user_id, conversation_id, role, joined_at) VALUES (?, 1, 1, 1)',
    [Number(ann)],
  );
  await online(ann, 'w');
  const { recipients, queried } = await repo.messages.saveMessages({
    messages: [repo.newMessage('1', ann)],
    recipientsOf: [{ conversationId: '1', extraUserIds: [] }],
  });
  assert.deepEqual([recipients[0]?.fanout, recipients[0]?.broadcast], [true, true]);
  assert.equal(queried[0]?.broadcast, true);
  assert.ok(queried[0]?.gateways.some(({ gatewayId }) => gatewayId === 'gateway-w'));
});

test('history: exclusive bounds, ascending, for members only', async () => {
  const { users, id } = await newGroup(2);
  const [ann] = users;
  await repo.save(...Array.from({ length: 7 }, () => repo.newMessage(id, ann)));
  const page = async (request: { beforeSeqId?: number; afterSeqId?: number; limit?: number }) => {
    const { messages, hasMore } = await repo.messages.getConversationMessages({
      userId: ann,
      conversationId: id,
      limit: 3,
      ...request,
    });
    return [messages.map(({ seqId }) => seqId), hasMore];
  };
  assert.deepEqual(await page({}), [[5, 6, 7], true]);
  assert.deepEqual(await page({ beforeSeqId: 5 }), [[2, 3, 4], true]);
  assert.deepEqual(await page({ beforeSeqId: 4 }), [[1, 2, 3], false]);
  assert.deepEqual(await page({ afterSeqId: 4 }), [[5, 6, 7], false]);
  assert.deepEqual(await page({ afterSeqId: 2 }), [[3, 4, 5], true]);
  const [stranger] = (await repo.newUsers(1)) as [string];
  const asked = (userId: string, conversationId: string) =>
    repo.messages.getMessages({ userId, conversationId, limit: 1 });
  await refusedWith(asked(stranger, id), 'NOT_CONVERSATION_MEMBER');
  await refusedWith(asked(stranger, '999'), 'CONVERSATION_NOT_FOUND');
  await refusedWith(asked(ann, "1' OR '1'='1"), 'CONVERSATION_NOT_FOUND');
  await refusedWith(page({ limit: 201 }), 'INVALID_ARGUMENT');
});

test('a recall empties the message, keeps its seq and is told once', async () => {
  const { users, id } = await newGroup(3);
  const [owner, bob, cy] = users as [string, string, string];
  const [first, second] = await repo.save(repo.newMessage(id, bob), repo.newMessage(id, bob));
  const recall = (actorId: string, messageId = 0, recallWindowMs = 60_000) =>
    repo.messages.deleteMessage({ actorId, conversationId: id, messageId, recallWindowMs });
  await refusedWith(recall(cy, first?.messageId), 'PERMISSION_DENIED');
  await refusedWith(recall(bob, first?.messageId, -1), 'RECALL_EXPIRED');
  await refusedWith(recall(bob, 1), 'MESSAGE_NOT_FOUND');
  assert.deepEqual(await recall(bob, first?.messageId), { seqId: 1, deleted: true });
  assert.deepEqual(await recall(bob, first?.messageId), { seqId: 1, deleted: false });
  assert.deepEqual(await recall(owner, second?.messageId, -1), { seqId: 2, deleted: true });
  assert.deepEqual(
    (await history(cy, id)).map(({ seqId, content, deleted }) => [seqId, content, deleted]),
    [
      [1, '', true],
      [2, '', true],
    ],
  );
  const events = (await repo.events()).filter((event) => JSON.stringify(event).includes(id));
  assert.deepEqual(
    events.map(({ type, event }) => type ?? (event as { frame: string }).frame),
    ['message.recalled', 'message-recalled', 'message.recalled', 'message-recalled'],
  );
});

test('the single form answers the message, and refuses by error', async () => {
  const { users, id } = await newGroup(2);
  const message = repo.newMessage(id, users[0], { mentions: [users[1]] });
  const answer = await repo.messages.saveMessage({ message });
  assert.deepEqual(
    [answer.message?.seqId, answer.message?.sender?.id, answer.message?.mentions, answer.duplicate],
    [1, users[0], [users[1]], false],
  );
  const again = await repo.messages.saveMessage({ message });
  assert.deepEqual([again.message?.id, again.duplicate], [answer.message?.id, true]);
  await refusedWith(
    repo.messages.saveMessage({ message: repo.newMessage('7', users[0]) }),
    'CONVERSATION_NOT_FOUND',
  );
});

test('without Redis messages are stored just the same, and go to every gateway that may hold a member', async () => {
  const { users, id } = await newGroup(2);
  const [ann] = users;
  await online(ann, 'r');
  await redis.kill();
  try {
    await eventually(() => !repo.redis.isUp());
    const answer = await repo.messages.saveMessages({
      messages: [repo.newMessage(id, ann)],
      recipientsOf: [],
    });
    assert.deepEqual(seqs(answer.results), [1]);
    assert.deepEqual(usersOf(answer.recipients[0]?.gateways ?? [], 'gateway-r').toSorted(), users.toSorted());
    assert.equal(answer.senders[0]?.id, ann);
    assert.equal((await history(ann, id)).length, 1);
  } finally {
    await redis.restart();
    await eventually(() => repo.redis.isUp());
  }
});

test('a frozen Redis costs one short wait', async () => {
  const { users, id } = await newGroup(2);
  redis.freeze();
  try {
    const began = performance.now();
    for (let n = 1; n <= 5; n += 1)
      assert.deepEqual(seqs(await repo.save(repo.newMessage(id, users[0]))), [n]);
    assert.ok(performance.now() - began < 1500, `took ${performance.now() - began} ms`);
  } finally {
    redis.thaw();
    await eventually(() => repo.redis.isUp());
  }
});

/** A session of the user at `gateway-{name}`, all of whose sessions are known. */
async function online(userId: string, name: string): Promise<void> {
  const gateway = { gatewayId: `gateway-${name}`, bootId: `boot-${name}`, pushAddress: 'nowhere:1' };
  await repo.presence.renewGateway({ gateway, synced: true });
  const now = Date.now();
  const session = { sessionId: `session-${userId}`, userId, connectedAt: now, lastActiveAt: now };
  await repo.presence.setUserOnline({ session, gatewayId: gateway.gatewayId, bootId: gateway.bootId });
  await repo.presence.renewGateway({ gateway, synced: true });
}

const usersOf = (
  gateways: readonly { gatewayId: string; userIds: string[] }[],
  gatewayId: string,
): string[] => gateways.find((gateway) => gateway.gatewayId === gatewayId)?.userIds ?? [];
