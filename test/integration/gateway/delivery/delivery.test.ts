import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openGatewaySystem } from '../../../support/gateway/gateway-system.ts';
import { ackRecord, messageRecord } from '../../../support/gateway/records.ts';
import type { Chat, Data } from '../../../support/people/people.ts';

const system = await openGatewaySystem({ RATE_LIMIT_FRAMES_PER_SECOND: '0' });
const here = await system.start();
const { newUser } = system;

test('messages reach their targets in order, but not the session that sent them', async () => {
  const [ann, bob, cat] = [newUser(), newUser(), newUser()];
  const sender = await system.connect(here.url, ann);
  const annToo = await system.connect(here.url, ann);
  const [toBob, toCat] = [await system.connect(here.url, bob), await system.connect(here.url, cat)];
  for (const clientMsgId of ['c-1', 'c-3', 'refused', 'again']) {
    sender.send('send-message', { conversationId: '77', clientMsgId, content: 'hello' });
  }
  await sender.settled();
  const refusal = (clientMsgId: string, code: 'NOT_FRIENDS' | 'INTERNAL_ERROR') => ({
    ...ackRecord(sender, clientMsgId, 0),
    error: { code, message: 'No.' },
  });
  const sender_info = { ...messageRecord({}).sender_info, id: ann };
  const group = { target_user_ids: [ann, bob], sender_info };
  await here.deliver({
    messages: [
      messageRecord({ ...group, seq_id: 1, client_msg_id: 'c-1' }),
      messageRecord({ target_user_id: bob, seq_id: 2, content: 'x'.repeat(70_000) }),
      messageRecord({ ...group, seq_id: 3, client_msg_id: 'c-3' }),
    ],
  });
  // After a crash of logic or task, messages may be delivered again.
  await here.deliver({ messages: [messageRecord({ ...group, seq_id: 3, client_msg_id: 'c-3' })] });
  await here.deliver({ acks: [refusal('refused', 'NOT_FRIENDS'), refusal('again', 'INTERNAL_ERROR')] });
  await here.deliver({
    gateway_boot_id: 'an earlier start',
    messages: [messageRecord({ ...group, seq_id: 9 })],
  });
  await here.deliver({
    // Another user's message with the same clientMsgId is not the sender's own, and neither is one that was refused and then sent by REST.
    messages: [
      messageRecord({ broadcast: true, seq_id: 4, client_msg_id: 'c-1' }),
      messageRecord({ broadcast: true, seq_id: 5, client_msg_id: 'again', sender_info }),
      messageRecord({ broadcast: true, seq_id: 6, client_msg_id: 'refused', sender_info }),
    ],
    events: [
      { event_id: 'e', frame: 'member-removed', data: { conversationId: '77' }, target_user_ids: [cat] },
    ],
  });
  const seqs = (chat: Chat) => chat.all('new-message').map(({ seqId }) => seqId);
  await Promise.all(
    [sender, annToo, toBob, toCat].map((chat) => chat.expect('new-message', (m) => m.seqId === 6)),
  );
  assert.deepEqual([sender, annToo, toBob, toCat].map(seqs), [
    [4, 6],
    [1, 3, 3, 4, 5, 6],
    [1, 2, 3, 3, 4, 5, 6],
    [4, 5, 6],
  ]);
  assert.deepEqual((await toBob.expect('new-message')).sender, {
    id: ann,
    username: 'ann',
    displayName: 'Ann',
    avatarUrl: '',
  });
  assert.equal(toBob.all('new-message')[1].content.length, 70_000);
  assert.deepEqual(await toCat.expect('member-removed'), { conversationId: '77' });
  await Promise.all([sender, annToo, toBob, toCat].map((chat) => chat.close()));
});

test('the removal is the last frame that a removed member gets, and no read receipt follows it', async () => {
  const [ann, bob] = [newUser(), newUser()];
  const [toAnn, toBob] = [await system.connect(here.url, ann), await system.connect(here.url, bob)];
  const conversation_id = '80';
  const cat = { ...messageRecord({}).sender_info, id: newUser() };
  const fromCat = (seq_id: number, targets: string[]) =>
    messageRecord({
      conversation_id,
      seq_id,
      sender_info: cat,
      target_user_ids: targets,
      read_for: targets,
    });
  const removal = {
    event_id: 'e',
    frame: 'member-removed',
    data: { conversationId: conversation_id, userIds: [bob], by: ann },
    target_user_ids: [ann, bob],
    last_seq_id: 2,
  };
  // The second and third receipt of Cat are merged, and would come after the removal.
  await here.deliver({
    messages: [fromCat(1, [ann, bob]), fromCat(2, [ann, bob])],
    events: [removal],
  });
  await here.deliver({ messages: [fromCat(3, [ann])] });
  await toAnn.expect('message-read', ({ seqId }) => seqId === 3);
  await toBob.settled();
  assert.equal(toBob.frames.filter(({ type }) => type !== 'pong').at(-1)?.type, 'member-removed');
  await Promise.all([toAnn, toBob].map((chat) => chat.close()));
});

test('a removed member gets no earlier message after the removal, however late it arrives', async () => {
  const [ann, bob] = [newUser(), newUser()];
  const [toAnn, toBob] = [await system.connect(here.url, ann), await system.connect(here.url, bob)];
  const conversation_id = '79';
  const both = { conversation_id, target_user_ids: [ann, bob] };
  const removal = {
    event_id: 'e',
    frame: 'member-removed',
    data: { conversationId: conversation_id, userIds: [bob], by: ann },
    target_user_ids: [ann, bob],
    last_seq_id: 2,
  };
  await here.deliver({ messages: [messageRecord({ ...both, seq_id: 1 })], events: [removal] });
  await here.deliver({ messages: [messageRecord({ ...both, seq_id: 2 })] });
  // Added again, and told so by an event that a message may overtake.
  await here.deliver({ messages: [messageRecord({ ...both, seq_id: 3 })] });
  const order = ({ frames }: Chat) => frames.map(({ type, data }) => (data as Data)?.seqId ?? type);
  await Promise.all([toAnn, toBob].map((chat) => chat.expect('new-message', ({ seqId }) => seqId === 3)));
  assert.deepEqual(order(toAnn).slice(-4), [1, 'member-removed', 2, 3]);
  assert.deepEqual(order(toBob).slice(-3), [1, 'member-removed', 3]);
  await Promise.all([toAnn.close(), toBob.close()]);
});

test('a refusal of logic is an error frame that says whether to try again', async () => {
  const socket = await system.connect(here.url, newUser());
  const refused = (clientMsgId: string, code: 'NOT_FRIENDS' | 'INTERNAL_ERROR') => ({
    ...ackRecord(socket, clientMsgId, 0),
    error: { code, message: 'No.' },
  });
  await here.deliver({ acks: [refused('a', 'NOT_FRIENDS'), refused('b', 'INTERNAL_ERROR')] });
  const error = (clientMsgId: string) => socket.expect('error', (data) => data.clientMsgId === clientMsgId);
  assert.deepEqual(await error('a'), {
    code: 'NOT_FRIENDS',
    message: 'No.',
    clientMsgId: 'a',
    retryable: false,
  });
  assert.equal((await error('b')).retryable, true);
  await socket.close();
});

test('an acknowledgement may come before its record, once, and in the order of the seq ids', async () => {
  const [ann, bob] = [newUser(), newUser()];
  const conversation_id = '81';
  const [toAnn, toBob] = [await system.connect(here.url, ann), await system.connect(here.url, bob)];
  for (const clientMsgId of ['a-1', 'a-2']) {
    toAnn.send('send-message', { conversationId: conversation_id, clientMsgId, content: 'hello' });
  }
  toBob.send('send-message', { conversationId: conversation_id, clientMsgId: 'b-3', content: 'hello' });
  await Promise.all([toAnn.settled(), toBob.settled()]);
  const [a1, a2, b3] = [
    { ...ackRecord(toAnn, 'a-1', 1), conversation_id },
    { ...ackRecord(toAnn, 'a-2', 2), conversation_id },
    { ...ackRecord(toBob, 'b-3', 3), conversation_id },
  ];
  const from = (userId: string, seq_id: number, client_msg_id: string) =>
    messageRecord({
      conversation_id,
      target_user_ids: [ann, bob],
      sender_info: { ...messageRecord({}).sender_info, id: userId },
      seq_id,
      client_msg_id,
    });

  await here.acknowledge([a1, a2, b3]);
  await toAnn.expect('message-ack', ({ seqId }) => seqId === 2);
  await toBob.settled();
  assert.deepEqual(toBob.all('message-ack'), [], "Bob has not got Ann's messages yet");
  await here.acknowledge([a1], 'an earlier start');

  await here.deliver({ messages: [from(ann, 1, 'a-1'), from(ann, 2, 'a-2')], acks: [a1, a2] });
  await toBob.expect('new-message', ({ seqId }) => seqId === 2);
  await here.acknowledge([a2, b3]);
  await toBob.expect('message-ack', ({ seqId }) => seqId === 3);
  await here.deliver({ messages: [from(bob, 3, 'b-3')], acks: [b3] });
  await toAnn.expect('new-message', ({ seqId }) => seqId === 3);
  await Promise.all([toAnn.settled(), toBob.settled()]);
  assert.deepEqual(
    [toAnn, toBob].map((chat) => chat.all('message-ack').map(({ seqId }) => seqId)),
    [[1, 2], [3]],
  );
  await Promise.all([toAnn, toBob].map((chat) => chat.close()));
});
