import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { test } from 'node:test';
import { WebSocket as RawSocket } from 'ws';
import type { DownstreamMessage } from '../../../lib/kafka/records.ts';
import { eventually } from '../../support/eventually.ts';
import { openGatewaySystem } from '../../support/gateway/gateway-system.ts';
import type { Chat, Data } from '../../support/people/people.ts';

const system = await openGatewaySystem({ RATE_LIMIT_FRAMES_PER_SECOND: '0' });
const here = await system.start();
const upstream = await system.upstream(here.id);

let lastUser = 1000;
const newUser = () => String(++lastUser);

const message = (more: Partial<DownstreamMessage>): DownstreamMessage => ({
  message_id: 1,
  conversation_id: '77',
  sender_info: { id: '9', username: 'ann', display_name: 'Ann', avatar_url: '' },
  message_type: 1,
  content: 'hello',
  seq_id: 1,
  client_msg_id: 'c-1',
  created_at: 5,
  ...more,
});

const ack = (session: Chat, clientMsgId: string, seqId: number) => ({
  session_id: session.sessionId,
  conversation_id: '77',
  client_msg_id: clientMsgId,
  message_id: 100 + seqId,
  seq_id: seqId,
  created_at: 5,
  duplicate: false,
});

test('a message goes upstream as it was sent, and its ack comes to the very session', async () => {
  const userId = newUser();
  const [one, other] = [await system.connect(here.url, userId), await system.connect(here.url, userId)];
  const content = 'čaj 😀\u0000 "x"\n';
  one.send('send-message', {
    conversationId: '77',
    clientMsgId: 'm-1',
    content,
    mentions: ['5'],
    replyToSeqId: 3,
  });
  await eventually(() => upstream.some((record) => record.session_id === one.sessionId));
  const record = upstream.find(({ session_id }) => session_id === one.sessionId);
  const { timestamp, ...rest } = record ?? { timestamp: 0 };
  assert.deepEqual(rest, {
    user_id: userId,
    conversation_id: '77',
    message_type: 1,
    content,
    client_msg_id: 'm-1',
    gateway_id: here.id,
    gateway_boot_id: here.gateway.bootId,
    session_id: one.sessionId,
    reply_to_seq_id: 3,
    mentions: ['5'],
  });
  assert.ok(Math.abs(Date.now() - timestamp) < 10_000);

  await here.deliver({ acks: [ack(one, 'm-1', 4)] });
  assert.deepEqual(await one.expect('message-ack'), {
    clientMsgId: 'm-1',
    conversationId: '77',
    messageId: 104,
    seqId: 4,
    createdAt: 5,
    duplicate: false,
  });
  await other.settled();
  assert.deepEqual(
    other.frames.map(({ type }) => type),
    ['pong'],
  );
  await Promise.all([one.close(), other.close()]);
});

test('what one session sends keeps its order', async () => {
  const socket = await system.connect(here.url, newUser());
  const sent = Array.from({ length: 500 }, (_, index) => `o-${index}`);
  for (const clientMsgId of sent)
    socket.send('send-message', { conversationId: '78', clientMsgId, content: 'x' });
  const mine = () => upstream.filter(({ session_id }) => session_id === socket.sessionId);
  await eventually(() => mine().length === sent.length);
  assert.deepEqual(
    mine().map(({ client_msg_id }) => client_msg_id),
    sent,
  );
  await socket.close();
});

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
    ...ack(sender, clientMsgId, 0),
    error: { code, message: 'No.' },
  });
  const sender_info = { ...message({}).sender_info, id: ann };
  const group = { target_user_ids: [ann, bob], sender_info };
  await here.deliver({
    messages: [
      message({ ...group, seq_id: 1, client_msg_id: 'c-1' }),
      message({ target_user_id: bob, seq_id: 2, content: 'x'.repeat(70_000) }),
      message({ ...group, seq_id: 3, client_msg_id: 'c-3' }),
    ],
  });
  // A crash of logic or task may deliver again what was delivered.
  await here.deliver({ messages: [message({ ...group, seq_id: 3, client_msg_id: 'c-3' })] });
  await here.deliver({ acks: [refusal('refused', 'NOT_FRIENDS'), refusal('again', 'INTERNAL_ERROR')] });
  await here.deliver({ gateway_boot_id: 'an earlier start', messages: [message({ ...group, seq_id: 9 })] });
  await here.deliver({
    // What somebody else calls the same is not the sender's own, and neither is what was refused and then sent by REST.
    messages: [
      message({ broadcast: true, seq_id: 4, client_msg_id: 'c-1' }),
      message({ broadcast: true, seq_id: 5, client_msg_id: 'again', sender_info }),
      message({ broadcast: true, seq_id: 6, client_msg_id: 'refused', sender_info }),
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

test('whoever was removed gets nothing more from before the removal, however late it comes', async () => {
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
  await here.deliver({ messages: [message({ ...both, seq_id: 1 })], events: [removal] });
  await here.deliver({ messages: [message({ ...both, seq_id: 2 })] });
  // Added again, and told so by an event that a message may overtake.
  await here.deliver({ messages: [message({ ...both, seq_id: 3 })] });
  const order = ({ frames }: Chat) => frames.map(({ type, data }) => (data as Data)?.seqId ?? type);
  await Promise.all([toAnn, toBob].map((chat) => chat.expect('new-message', ({ seqId }) => seqId === 3)));
  assert.deepEqual(order(toAnn).slice(-4), [1, 'member-removed', 2, 3]);
  assert.deepEqual(order(toBob).slice(-3), [1, 'member-removed', 3]);
  await Promise.all([toAnn.close(), toBob.close()]);
});

test('a refusal of logic is an error frame that says whether to try again', async () => {
  const socket = await system.connect(here.url, newUser());
  const refused = (clientMsgId: string, code: 'NOT_FRIENDS' | 'INTERNAL_ERROR') => ({
    ...ack(socket, clientMsgId, 0),
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

test('the twentieth frame within a minute whose data is wrong closes 4004; what breaks a rule never counts', async () => {
  const socket = await system.connect(here.url, newUser());
  const good = { conversationId: '77', clientMsgId: 'x', content: 'x' };
  for (let i = 0; i < 40; i++) {
    socket.send('send-message', { ...good, content: 'x'.repeat(4001) });
    socket.send('mark-read', { conversationId: 'nowhere', seqId: 1 });
  }
  for (let i = 0; i < 19; i++) socket.send('send-message', { ...good, mentions: 'all' });
  await socket.settled();
  // Malformed ones count apart.
  socket.sendRaw('nonsense');
  await socket.settled();
  assert.equal(socket.all('error').length, 100);
  socket.send('send-message', { ...good, mentions: Array(30_000).fill(1) });
  assert.equal((await socket.closed).code, 4004);
  assert.equal(socket.all('error').at(-1)?.code, 'INVALID_ARGUMENT');
});

test('ten frames of 60 KB with thousands of wrong mentions leave another socket’s ping under 20 ms', async () => {
  const [hostile, other] = [
    await system.connect(here.url, newUser()),
    await system.connect(here.url, newUser()),
  ];
  const frame = { conversationId: '77', clientMsgId: 'x', content: 'x', mentions: Array(30_000).fill(1) };
  let quickest = Number.POSITIVE_INFINITY;
  // The machine may do something else meanwhile; ten such frames once held everybody up for a second.
  for (let round = 0; round < 40 && quickest >= 20; round++) {
    const socket = round === 0 ? hostile : await system.connect(here.url, newUser());
    for (let i = 0; i < 10; i++) socket.send('send-message', frame);
    const from = performance.now();
    await other.settled();
    quickest = Math.min(quickest, performance.now() - from);
    await socket.settled();
    assert.equal(socket.all('error').length, 10);
    await socket.close();
  }
  assert.ok(quickest < 20, `${quickest} ms`);
  await other.close();
});

test('of what one session marks as read at once the valid part is applied, the rest refused', async () => {
  const socket = await system.connect(here.url, newUser());
  system.headOf.set('80', 5);
  const mine = () => system.reads.flat().filter(({ sessionId }) => sessionId === socket.sessionId);
  for (const seqId of [3, 5, 999, 4, 7]) socket.send('mark-read', { conversationId: '80', seqId });
  await socket.settled();
  await eventually(() => socket.all('error').length === 2);
  assert.deepEqual(
    socket.all('error').map(({ code }) => code),
    ['INVALID_ARGUMENT', 'INVALID_ARGUMENT'],
  );
  // The furthest first: only one of them moves the pointer.
  assert.deepEqual(
    mine().map(({ seqId }) => seqId),
    [999, 7, 5, 4, 3],
  );
  await socket.close();
});

test('wrong fields are refused without counting as malformed', async () => {
  const socket = await system.connect(here.url, newUser());
  const good = { conversationId: '77', clientMsgId: 'x', content: 'x' };
  const table: [Record<string, unknown>, string][] = [
    [{ ...good, content: '' }, 'INVALID_ARGUMENT'],
    [{ ...good, content: 7 }, 'INVALID_ARGUMENT'],
    [{ ...good, content: '\ud800' }, 'INVALID_ARGUMENT'],
    [{ ...good, content: '😀'.repeat(4001) }, 'MESSAGE_TOO_LARGE'],
    [{ ...good, clientMsgId: 'x'.repeat(65) }, 'INVALID_ARGUMENT'],
    [{ ...good, conversationId: 77 }, 'INVALID_ARGUMENT'],
    [{ ...good, conversationId: 'nothing' }, 'CONVERSATION_NOT_FOUND'],
    [{ ...good, messageType: 4 }, 'INVALID_ARGUMENT'],
    [{ ...good, replyToSeqId: 0.5 }, 'INVALID_ARGUMENT'],
    [{ ...good, mentions: 'all' }, 'INVALID_ARGUMENT'],
  ];
  for (const [data, code] of table) {
    const from = socket.all('error').length;
    socket.send('send-message', data);
    await socket.settled();
    assert.deepEqual(
      socket
        .all('error')
        .slice(from)
        .map((error) => error.code),
      [code],
      JSON.stringify(data),
    );
  }
  socket.sendRaw('{"type":"mark-read","data":{"conversationId":"77","seqId":1e400}}');
  socket.sendRaw('{"type":"typing"}');
  await socket.settled();
  assert.equal(socket.all('error').length, table.length + 2);
  assert.equal((await socket.close()).code, 1000);
});

test('the third malformed frame closes 4004, after an error frame for each', async () => {
  const socket = await system.connect(here.url, newUser());
  for (const text of ['nonsense', '[]', '{"type":"__proto__"}']) socket.sendRaw(text);
  assert.deepEqual(await socket.closed, { code: 4004, reason: 'malformed frames' });
  assert.deepEqual(
    socket.all('error').map(({ code }) => code),
    Array(3).fill('INVALID_ARGUMENT'),
  );
});

test('a frame over 64 KiB closes 1009', async () => {
  const socket = await system.connect(here.url, newUser());
  socket.sendRaw(`"${'x'.repeat(65_536)}"`);
  assert.equal((await socket.closed).code, 1009);
});

test('read marks are told in batches, the furthest of each conversation', async () => {
  const socket = await system.connect(here.url, newUser());
  for (const seqId of [3, 9, 5]) socket.send('mark-read', { conversationId: '77', seqId });
  socket.send('mark-read', { conversationId: '78', seqId: 1 });
  const mine = () => system.reads.flat().filter(({ sessionId }) => sessionId === socket.sessionId);
  await eventually(() => mine().length === 2);
  assert.deepEqual(
    mine().map(({ conversationId, seqId }) => [conversationId, seqId]),
    [
      ['77', 9],
      ['78', 1],
    ],
  );
  system.refuseReadsWith.code = 5;
  socket.send('mark-read', { conversationId: '79', seqId: 1 });
  assert.equal((await socket.expect('error')).code, 'NOT_CONVERSATION_MEMBER');
  system.refuseReadsWith.code = 0;
  await socket.close();
});

test('typing is passed on once in two seconds', async () => {
  const userId = newUser();
  const socket = await system.connect(here.url, userId);
  for (let i = 0; i < 5; i++) socket.send('typing', { conversationId: '77' });
  socket.send('typing', { conversationId: '78' });
  const mine = () => system.typing.filter((notice) => notice.userId === userId);
  await eventually(() => mine().length >= 2);
  await socket.settled();
  assert.deepEqual(
    mine()
      .map(({ conversationId }) => conversationId)
      .sort(),
    ['77', '78'],
  );
  await socket.close();
});

test('upgrades without a good token are refused before they happen', async () => {
  const good = await system.token('5');
  const revoked = randomUUID();
  system.revoked.push(revoked);
  const statusOf = (path: string, protocols: string[] = []) =>
    new Promise<string>((resolve) => {
      const socket = new RawSocket(`${here.url.replace('http', 'ws')}${path}`, protocols);
      socket.on('unexpected-response', (_request, response) => {
        resolve(`${response.statusCode} ${response.headers['www-authenticate'] ?? ''}`.trim());
        socket.terminate();
      });
      socket.on('open', () => {
        resolve(`101 ${socket.protocol}`.trim());
        socket.close();
      });
      socket.on('error', () => undefined);
    });
  const upgraded = (path: string, offered: string) =>
    new Promise<string>((resolve, reject) => {
      const headers = {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
        'sec-websocket-version': '13',
        'sec-websocket-protocol': offered,
      };
      const sent = request(`${here.url}${path}`, { headers });
      sent.on('upgrade', (response, stream) => {
        stream.destroy();
        resolve(response.headers['sec-websocket-protocol'] ?? '');
      });
      sent.on('response', ({ statusCode }) => reject(new Error(`refused with ${statusCode}`)));
      sent.on('error', reject);
      sent.end();
    });
  const forged = `${good.slice(0, -6)}AAAAAA`;
  const challenge = '401 Bearer realm="gochat"';
  assert.equal(await statusOf('/ws'), challenge);
  assert.equal(await statusOf('/ws?token=x'), challenge);
  assert.equal(await statusOf(`/ws?token=${forged}`), challenge);
  assert.equal(await statusOf('/ws', ['gochat.v1', `bearer.${forged}`]), challenge);
  assert.equal(await statusOf(`/ws?token=${await system.token('5', 's', 'refresh+jwt')}`), challenge);
  assert.equal(await statusOf(`/elsewhere?token=${good}`), '404');
  assert.equal(await statusOf(`/ws?token=${good}`), '101');
  assert.equal(await statusOf('/ws', ['gochat.v1', `bearer.${good}`]), '101 gochat.v1');
  assert.equal(await statusOf(`/ws/?token=${good}`), '101');
  assert.equal(await statusOf('/ws/'), challenge);
  assert.equal(await statusOf('/ws?token=', ['gochat.v1', `bearer.${good}`]), '101 gochat.v1');
  assert.equal(await statusOf('/ws?token='), challenge);
  // A list may have empty elements, which no client of ours writes.
  for (const offered of [`gochat.v1, bearer.${good}, `, `,gochat.v1,,bearer.${good}`]) {
    assert.equal(await upgraded('/ws?token=', offered), 'gochat.v1', offered);
  }
  assert.equal(await upgraded(`/ws?token=${good}`, ', '), '');
  const late = await system.token('5', revoked);
  await eventually(async () => (await statusOf(`/ws?token=${late}`)) === challenge);
});
