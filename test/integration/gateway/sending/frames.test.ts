import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../../support/eventually.ts';
import { openGatewaySystem } from '../../../support/gateway/gateway-system.ts';
import { ackRecord } from '../../../support/gateway/records.ts';

const system = await openGatewaySystem({ RATE_LIMIT_FRAMES_PER_SECOND: '0' });
const here = await system.start();
const upstream = await system.upstream(here.id);
const { newUser } = system;

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

  await here.deliver({ acks: [ackRecord(one, 'm-1', 4)] });
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

test('messages of one session keep their order', async () => {
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

test('the twentieth frame with invalid data within a minute closes the session with 4004; frames that break a business rule are not counted', async () => {
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

test('ten frames of 60 KB with thousands of invalid mentions delay another socket’s ping by less than 20 ms of CPU time', async () => {
  const [hostile, other] = [
    await system.connect(here.url, newUser()),
    await system.connect(here.url, newUser()),
  ];
  const frame = { conversationId: '77', clientMsgId: 'x', content: 'x', mentions: Array(30_000).fill(1) };
  let leastMs = Number.POSITIVE_INFINITY;
  // The gateway and the sockets of the test share this thread. Its CPU time until the pong is the delay on an idle
  // machine; on a busy one, the time on the clock says nothing. A round may include a garbage collection.
  for (let round = 0; round < 40 && leastMs >= 20; round++) {
    const socket = round === 0 ? hostile : await system.connect(here.url, newUser());
    for (let i = 0; i < 10; i++) socket.send('send-message', frame);
    const from = process.threadCpuUsage();
    await other.settled();
    const used = process.threadCpuUsage(from);
    leastMs = Math.min(leastMs, (used.user + used.system) / 1000);
    await socket.settled();
    assert.equal(socket.all('error').length, 10);
    await socket.close();
  }
  assert.ok(leastMs < 20, `${leastMs} ms`);
  await other.close();
});

test('of a session’s concurrent read marks, the valid ones are applied, and the others are refused', async () => {
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

test('metadata over 4 KiB is refused before anything is produced, and does not count as an offence', async () => {
  const socket = await system.connect(here.url, newUser());
  const send = (clientMsgId: string, metadata: object) =>
    socket.send('send-message', { conversationId: '77', clientMsgId, content: 'x', metadata });
  for (let n = 0; n < 25; n += 1) send(`large-${n}`, { text: 'x'.repeat(8000) });
  send('edge', { text: 'ü'.repeat((4096 - '{"text":""}'.length + 1) / 2) });
  send('fits', { text: 'x'.repeat(4096 - '{"text":""}'.length) });
  const mine = () => upstream.filter(({ session_id }) => session_id === socket.sessionId);
  // A conversation's records keep their order, so what was produced before it would be here by now.
  await eventually(() => mine().some(({ client_msg_id }) => client_msg_id === 'fits'));
  assert.deepEqual(
    mine().map(({ client_msg_id }) => client_msg_id),
    ['fits'],
  );
  await socket.settled();
  const errors = socket.all('error');
  assert.deepEqual(
    errors.map(({ code, clientMsgId, retryable }) => [code, clientMsgId, retryable]),
    [...Array.from({ length: 25 }, (_, n) => `large-${n}`), 'edge'].map((id) => [
      'MESSAGE_TOO_LARGE',
      id,
      false,
    ]),
  );
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

test('a frame over 64 KiB closes the socket with 1009', async () => {
  const socket = await system.connect(here.url, newUser());
  socket.sendRaw(`"${'x'.repeat(65_536)}"`);
  assert.equal((await socket.closed).code, 1009);
});

test('read marks are sent in batches, with the furthest one of each conversation', async () => {
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

test('typing is forwarded at most once per two seconds', async () => {
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
