import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Conversation, Message } from '../../clients/sdk/rest.ts';
import {
  chat,
  gateway2Url,
  gatewayUrl,
  newFriends,
  newGroup,
  newPeople,
  newPerson,
  type Person,
  refused,
  uniqueName,
  wholeHistory,
} from '../support/people/people.ts';

const post = (person: Person, conversationId: string, body: Record<string, unknown>) =>
  person.rest.post<{ message: Message }>(`/conversations/${conversationId}/messages`, body);

test('a message goes from one socket to the other across gateways, byte for byte', async () => {
  const { ann, bob, conversationId } = await newFriends();
  const annChat = await chat(ann);
  const bobChat = await chat(bob, gateway2Url);
  const content = 'Grüße, 世界! 👩‍👩‍👧 "quoted" \\ \u0000 \u2028 <b>&amp;</b>\n\ttab';
  const ack = await annChat.say(conversationId, content, { clientMsgId: 'ünï-1' });
  assert.deepEqual(
    [ack.seqId, ack.duplicate, ack.conversationId, ack.clientMsgId],
    [1, false, conversationId, 'ünï-1'],
  );
  assert.ok(Number.isSafeInteger(ack.messageId));
  const message = await bobChat.expect('new-message');
  assert.deepEqual(message, {
    id: ack.messageId,
    conversationId,
    seqId: 1,
    sender: { id: ann.id, username: ann.user.username, displayName: ann.user.displayName, avatarUrl: '' },
    messageType: 1,
    content,
    clientMsgId: 'ünï-1',
    deleted: false,
    createdAt: ack.createdAt,
    changeSeq: 0,
  });
  const { messages } = await bob.rest.messagesAfter(conversationId, 0);
  assert.deepEqual(messages, [message]);
  await Promise.all([annChat.close(), bobChat.close()]);
});

test('the sender’s other sessions get the message, the sending one only its ack', async () => {
  const { ann, bob, conversationId } = await newFriends();
  const [sending, other, bobChat] = [await chat(ann), await chat(ann, gateway2Url), await chat(bob)];
  await sending.say(conversationId, 'hello');
  await Promise.all([other.expect('new-message'), bobChat.expect('new-message')]);
  await sending.settled();
  assert.deepEqual(sending.all('new-message'), []);

  await post(ann, conversationId, { clientMsgId: 'r', content: 'by REST' });
  await Promise.all(
    [sending, other, bobChat].map((one) => one.expect('new-message', (data) => data.content === 'by REST')),
  );
  await Promise.all([sending.close(), other.close(), bobChat.close()]);
});

test('a retry gets the first message’s ack, and is not delivered again', async () => {
  const { ann, bob, conversationId } = await newFriends();
  const [annChat, bobChat] = [await chat(ann), await chat(bob)];
  const first = await annChat.say(conversationId, 'once', { clientMsgId: 'same' });
  const again = await annChat.say(conversationId, 'once', { clientMsgId: 'same' });
  assert.deepEqual(
    [again.messageId, again.seqId, again.createdAt, again.duplicate],
    [first.messageId, first.seqId, first.createdAt, true],
  );
  const rest = await fetch(new URL(`/conversations/${conversationId}/messages`, process.env.GATEWAY_URL), {
    method: 'POST',
    headers: { authorization: `Bearer ${ann.accessToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ clientMsgId: 'same', content: 'once' }),
  });
  assert.equal(rest.status, 200);
  assert.equal(((await rest.json()) as { message: Message }).message.id, first.messageId);
  // Compared byte for byte: another case is another message.
  assert.equal((await annChat.say(conversationId, 'other', { clientMsgId: 'SAME' })).duplicate, false);
  await bobChat.expect('new-message', (data) => data.content === 'other');
  assert.deepEqual(
    bobChat.all('new-message').map(({ seqId }) => seqId),
    [1, 2],
  );
  await Promise.all([annChat.close(), bobChat.close()]);
});

test('messages of one session are stored in their order, without gaps in the seq ids, and everybody sees the same order', async () => {
  const people = await newPeople(4);
  const [owner, ...others] = people as [Person, ...Person[]];
  const conversationId = await newGroup(owner, others);
  const sockets = await Promise.all(
    people.map((person, index) => chat(person, index % 2 ? gateway2Url : undefined)),
  );
  const each = 40;
  await Promise.all(
    sockets.map(async (socket, who) => {
      const acks = Array.from({ length: each }, (_, n) => socket.say(conversationId, `${who}:${n}`));
      const seqs = (await Promise.all(acks)).map(({ seqId }) => seqId);
      assert.deepEqual(
        seqs,
        seqs.toSorted((a, b) => a - b),
      );
    }),
  );
  const total = each * people.length;
  const history = await wholeHistory(owner, conversationId);
  assert.deepEqual(
    history.map(({ seqId }) => seqId),
    Array.from({ length: total }, (_, n) => n + 1),
  );
  for (const [index, socket] of sockets.entries()) {
    const expected = history.filter(({ sender }) => sender.id !== people[index]?.id);
    await socket.expect('new-message', (data) => data.seqId === expected.at(-1)?.seqId);
    assert.deepEqual(socket.all('new-message'), expected);
    await socket.close();
  }
});

test('history pages: newest, before, after, ascending, with exclusive bounds', async () => {
  const { ann, conversationId } = await newFriends();
  const socket = await chat(ann);
  for (let n = 1; n <= 7; n += 1) await socket.say(conversationId, `m${n}`);
  const page = async (query: string) => {
    const answer = await ann.rest.get<{ messages: Message[]; hasMore: boolean }>(
      `/conversations/${conversationId}/messages?${query}`,
    );
    return [answer.messages.map(({ seqId }) => seqId), answer.hasMore];
  };
  assert.deepEqual(await page(''), [[1, 2, 3, 4, 5, 6, 7], false]);
  assert.deepEqual(await page('limit=3'), [[5, 6, 7], true]);
  assert.deepEqual(await page('beforeSeq=5&limit=3'), [[2, 3, 4], true]);
  assert.deepEqual(await page('beforeSeq=4&limit=3'), [[1, 2, 3], false]);
  assert.deepEqual(await page('afterSeq=2&limit=3'), [[3, 4, 5], true]);
  assert.deepEqual(await page('afterSeq=4&limit=3'), [[5, 6, 7], false]);
  assert.deepEqual(await page('afterSeq=7'), [[], false]);
  for (const query of [
    'limit=0',
    'limit=201',
    'limit=x',
    'limit=1.5',
    'afterSeq=-1',
    'beforeSeq=1e99',
    'limit=',
  ]) {
    await refused(page(query), 400, 'INVALID_ARGUMENT');
  }
  await socket.close();
});

test('a recalled message keeps its seq id, loses its content, and every member gets an event', async () => {
  const { ann, bob, conversationId } = await newFriends();
  const [annChat, bobChat] = [await chat(ann), await chat(bob, gateway2Url)];
  const ack = await annChat.say(conversationId, 'oops');
  const path = `/conversations/${conversationId}/messages/${ack.messageId}`;
  await refused(bob.rest.delete(path), 403, 'PERMISSION_DENIED');
  await ann.rest.delete(path);
  await ann.rest.delete(path);
  for (const socket of [annChat, bobChat]) {
    assert.deepEqual(await socket.expect('message-recalled'), {
      conversationId,
      messageId: ack.messageId,
      seqId: 1,
      by: ann.id,
    });
  }
  const { messages } = await bob.rest.messagesAfter(conversationId, 0);
  assert.deepEqual(
    messages.map(({ seqId, content, deleted }) => ({ seqId, content, deleted })),
    [{ seqId: 1, content: '', deleted: true }],
  );
  await refused(ann.rest.delete(`/conversations/${conversationId}/messages/1`), 404, 'MESSAGE_NOT_FOUND');
  await Promise.all([annChat.close(), bobChat.close()]);
});

test('replies and mentions travel with the message', async () => {
  const { ann, bob, conversationId } = await newFriends();
  const [annChat, bobChat] = [await chat(ann), await chat(bob)];
  await annChat.say(conversationId, 'question');
  await bobChat.say(conversationId, 'answer', { replyToSeqId: 1, mentions: [ann.id] });
  const got = await annChat.expect('new-message');
  assert.deepEqual([got.replyToSeqId, got.mentions], [1, [ann.id]]);
  const [, stored] = (await ann.rest.messagesAfter(conversationId, 0)).messages;
  assert.deepEqual(stored, got);
  await Promise.all([annChat.close(), bobChat.close()]);
});

test('a user who is not a member can neither read nor send, and gets no frames', async () => {
  const { ann, conversationId } = await newFriends();
  const eve = await newPerson('eve');
  const eveChat = await chat(eve);
  const base = `/conversations/${conversationId}`;
  await refused(eve.rest.get(base), 403, 'NOT_CONVERSATION_MEMBER');
  await refused(eve.rest.get(`${base}/messages`), 403, 'NOT_CONVERSATION_MEMBER');
  await refused(eve.rest.get(`${base}/members`), 403, 'NOT_CONVERSATION_MEMBER');
  await refused(eve.rest.put(`${base}/read`, { seqId: 0 }), 403, 'NOT_CONVERSATION_MEMBER');
  await refused(
    post(eve, conversationId, { clientMsgId: 'e', content: 'hi' }),
    403,
    'NOT_CONVERSATION_MEMBER',
  );
  await assert.rejects(eveChat.say(conversationId, 'hi'), { message: 'NOT_CONVERSATION_MEMBER' });
  for (const id of ['123456789', 'nonsense', "1' OR '1'='1", '%00', '9'.repeat(40)]) {
    await refused(
      eve.rest.get(`/conversations/${encodeURIComponent(id)}/messages`),
      404,
      'CONVERSATION_NOT_FOUND',
    );
  }
  await assert.rejects(eveChat.say('123456789', 'hi'), { message: 'CONVERSATION_NOT_FOUND' });
  const annChat = await chat(ann);
  await annChat.say(conversationId, 'secret');
  await eveChat.settled();
  assert.deepEqual(eveChat.all('new-message'), []);
  await Promise.all([annChat.close(), eveChat.close()]);
});

test('the limits of a message are kept on both ways in', async () => {
  const { ann, conversationId } = await newFriends();
  const socket = await chat(ann);
  const emoji = '😀'.repeat(4000);
  assert.equal((await socket.say(conversationId, emoji)).seqId, 1);
  const cases: [Record<string, unknown>, string, number][] = [
    [{ clientMsgId: uniqueName(), content: `${emoji}x` }, 'MESSAGE_TOO_LARGE', 413],
    [{ clientMsgId: uniqueName(), content: '' }, 'INVALID_ARGUMENT', 400],
    [{ clientMsgId: uniqueName(), content: 5 }, 'INVALID_ARGUMENT', 400],
    [{ clientMsgId: '', content: 'x' }, 'INVALID_ARGUMENT', 400],
    [{ clientMsgId: 'é'.repeat(33), content: 'x' }, 'INVALID_ARGUMENT', 400],
    [{ clientMsgId: uniqueName(), content: 'x', messageType: 4 }, 'INVALID_ARGUMENT', 400],
    [{ clientMsgId: uniqueName(), content: 'x', messageType: '1' }, 'INVALID_ARGUMENT', 400],
    [{ clientMsgId: uniqueName(), content: 'x', replyToSeqId: 99 }, 'INVALID_ARGUMENT', 400],
    [{ clientMsgId: uniqueName(), content: 'x', mentions: 'all' }, 'INVALID_ARGUMENT', 400],
    [{ clientMsgId: uniqueName(), content: 'lone \ud800 surrogate' }, 'INVALID_ARGUMENT', 400],
    [{ clientMsgId: uniqueName(), content: 'not json', messageType: 2 }, 'INVALID_ARGUMENT', 400],
    [
      { clientMsgId: uniqueName(), content: '{"url":"javascript:alert(1)"}', messageType: 3 },
      'INVALID_ARGUMENT',
      400,
    ],
  ];
  for (const [body, code, status] of cases) {
    await refused(post(ann, conversationId, body), status, code);
    const { content, ...more } = body;
    await assert.rejects(
      socket.say(conversationId, content as string, more),
      { message: code },
      JSON.stringify(body).slice(0, 200),
    );
  }
  assert.equal((await wholeHistory(ann, conversationId)).length, 1);
  await socket.close();
});

test('the world room reaches everybody, guests too', async () => {
  const { ann, bob } = await newFriends();
  const { conversations } = await ann.rest.get<{ conversations: Conversation[] }>('/conversations');
  const world = conversations.find(({ type }) => type === 3);
  assert.ok(world);
  const [annChat, bobChat] = [await chat(ann), await chat(bob, gateway2Url)];
  const text = uniqueName('world');
  const ack = await annChat.say(world.id, text);
  const got = await bobChat.expect('new-message', (data) => data.content === text);
  assert.equal(got.seqId, ack.seqId);
  await annChat.settled();
  assert.deepEqual(
    annChat.all('new-message').filter(({ content }) => content === text),
    [],
  );
  await Promise.all([annChat.close(), bobChat.close()]);
});

test('a repeat under an Idempotency-Key shows the message as it is now, recalled', async () => {
  const { ann, bob, conversationId } = await newFriends();
  const send = (person: Person) =>
    fetch(new URL(`/conversations/${conversationId}/messages`, gatewayUrl), {
      method: 'POST',
      headers: {
        authorization: `Bearer ${person.accessToken}`,
        'content-type': 'application/json',
        'idempotency-key': 'once',
      },
      body: JSON.stringify({ clientMsgId: 'c1', content: 'a slip of the tongue' }),
    });
  const first = await send(ann);
  const { message } = (await first.json()) as { message: Message };
  await ann.rest.delete(`/conversations/${conversationId}/messages/${message.id}`);
  const repeat = await send(ann);
  assert.deepEqual([first.status, repeat.status], [201, 201]);
  const recalled = { ...message, content: '', deleted: true, changeSeq: 1 };
  assert.deepEqual(await repeat.json(), { message: recalled });
  // The key is a user's own.
  const other = (await (await send(bob)).json()) as { message: Message };
  assert.notEqual(other.message.id, message.id);
});
