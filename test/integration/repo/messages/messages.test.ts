import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Code, codeFromNumber } from '../../../../lib/errors.ts';
import type { NewMessage, SavedMessage } from '../../../../lib/gen/im_repo/v1/message.ts';
import { toOrderedFrame } from '../../../../lib/records/ordered-frames.ts';
import type { OrderedEvent } from '../../../../lib/records/records.ts';
import { refusedWith } from '../../../support/refused-with.ts';
import { openMessageRepo } from '../../../support/repo/open-repo.ts';

const { repo } = await openMessageRepo();
const seqs = (results: readonly SavedMessage[]) => results.map(({ seqId }) => seqId);

const codes = (results: readonly SavedMessage[]): (Code | undefined)[] =>
  results.map(({ error }) => codeFromNumber(error));

const history = async (userId: string, conversationId: string) =>
  (await repo.messages.getMessages({ userId, conversationId, limit: 200 })).messages;

test('messages of one batch are numbered in their order, each conversation by itself', async () => {
  const { users, id } = await repo.newConversationOf(2);
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
  const { users, id } = await repo.newConversationOf(2);
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

test('an invalid message fails alone in its batch, and leaves no gap', async () => {
  const { users, id } = await repo.newConversationOf(2);
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

test('a client’s retry gets the first message’s seq id and is delivered to nobody; a redelivery by Kafka is delivered again', async () => {
  const { users, id } = await repo.newConversationOf(2);
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

test('a retry of a message that was stored after its refusal has recipients once, and is a duplicate', async () => {
  const { users, id } = await repo.newConversationOf(2);
  const [ann] = users;
  const late = repo.newMessage(id, ann, { clientMsgId: 'late' });
  const [stored] = await repo.save(late);
  const retry = () => ({
    ...repo.newMessage(id, ann, { clientMsgId: 'late' }),
    refused: { offsets: [late.sourceOffset] },
  });
  const { results, recipients, senders } = await repo.messages.saveMessages({
    messages: [retry(), retry()],
    recipientsOf: [],
  });
  assert.deepEqual(results[0], { ...stored, duplicate: true, undelivered: true });
  assert.deepEqual([results[1]?.duplicate, results[1]?.undelivered], [true, undefined]);
  assert.deepEqual(
    [recipients.map((one) => one.conversationId), senders.map((user) => user.id)],
    [[id], [ann]],
  );
  // One that was stored under a record that was not refused is delivered already.
  const other = { ...retry(), refused: { offsets: [late.sourceOffset + 1_000_000] } };
  const again = await repo.messages.saveMessages({ messages: [other], recipientsOf: [] });
  assert.deepEqual([again.results[0]?.undelivered, again.recipients], [undefined, []]);
});

test('the same clientMsgId twice in a batch is stored once', async () => {
  const { users, id } = await repo.newConversationOf(2);
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

test('a redelivered message gets its answer even if the sender is no longer a member', async () => {
  const { users, id } = await repo.newConversationOf(3);
  const [, , leaving] = users as [string, string, string];
  const message = repo.newMessage(id, leaving);
  const [stored] = await repo.save(message);
  await repo.removeMember(id, leaving);
  assert.deepEqual(await repo.save(message), [stored]);
  assert.deepEqual(codes(await repo.save(repo.newMessage(id, leaving))), ['NOT_CONVERSATION_MEMBER']);
});

test('a removed member’s retry with an old clientMsgId gets no answer about the message', async () => {
  const { users, id } = await repo.newConversationOf(3);
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

test('two concurrent writers leave no gap and no duplicate seq id in the same conversations', async () => {
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

test('a muted member, mute-all and a closed single conversation refuse', async () => {
  const { users, id } = await repo.newConversationOf(3);
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

test('history: exclusive bounds, ascending, for members only', async () => {
  const { users, id } = await repo.newConversationOf(2);
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

test('a recall empties the message, keeps its seq id, and causes one event', async () => {
  const { users, id } = await repo.newConversationOf(3);
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
    events.map(({ type, event }) => type ?? toOrderedFrame(event as OrderedEvent).frame),
    [
      ...['message-changed', 'message.recalled', 'message-recalled'],
      ...['message-changed', 'message.recalled', 'message-recalled'],
    ],
  );
});

test('the single form answers the message, and refuses by error', async () => {
  const { users, id } = await repo.newConversationOf(2);
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
