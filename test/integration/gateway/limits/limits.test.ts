import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { WebSocket as RawSocket } from 'ws';
import { eventually } from '../../../support/eventually.ts';
import { openGatewaySystem } from '../../../support/gateway/gateway-system.ts';
import { eventRecord } from '../../../support/gateway/records.ts';

const system = await openGatewaySystem();
const { newUser } = system;

test('a session that does not read is closed with 4002, and the others get everything', async () => {
  const there = await system.start({ SEND_BUFFER_LIMIT_BYTES: '50000' });
  const [slowUser, userId] = [newUser(), newUser()];
  const url = `${there.url.replace('http', 'ws')}/ws?token=${await system.token(slowUser)}`;
  const slow = new RawSocket(url);
  await once(slow, 'message');
  slow.pause();
  const other = await system.connect(there.url, userId);
  const padding = 'x'.repeat(100_000);
  const rounds = 60;
  for (let round = 0; round < rounds; round++) {
    const data = { name: `round-${round}`, padding };
    await there.deliver({ events: [{ ...eventRecord([slowUser, userId]), data }] });
  }
  await other.expect('conversation-updated', ({ name }) => name === `round-${rounds - 1}`);
  assert.equal(other.all('conversation-updated').length, rounds);
  const closed = once(slow, 'close');
  slow.resume();
  assert.equal((await closed)[0], 4002);
  await there.stop();
});

test('a flood is refused frame by frame, and ends with 4005', async () => {
  const there = await system.start({ RATE_LIMIT_FRAMES_PER_SECOND: '5' });
  const socket = await system.connect(there.url, newUser());
  for (let i = 0; i < 30; i++) socket.send('ping');
  const error = await socket.expect('error');
  assert.deepEqual([error.code, error.retryable], ['RATE_LIMITED', true]);
  socket.send('send-message', { conversationId: '7', clientMsgId: 'late', content: 'x' });
  await socket.expect('error', ({ clientMsgId }) => clientMsgId === 'late');
  assert.ok(socket.all('pong').length >= 20);
  for (let i = 0; i < 200; i++) socket.send('ping');
  assert.equal((await socket.closed).code, 4005);
  await there.stop();
});

test('more bytes than a session may send are refused, and end with 4005', async () => {
  const there = await system.start({
    RATE_LIMIT_FRAMES_PER_SECOND: '0',
    RATE_LIMIT_BYTES_PER_SECOND: '65536',
  });
  const [socket, other] = [
    await system.connect(there.url, newUser()),
    await system.connect(there.url, newUser()),
  ];
  const padding = 'x'.repeat(60_000);
  const frame = { conversationId: '7', clientMsgId: 'big', content: 'x', padding };
  for (let i = 0; i < 4; i++) socket.send('typing', frame);
  await socket.settled();
  assert.equal(socket.all('error').length, 0);
  for (let i = 0; i < 20; i++) socket.send('send-message', frame);
  assert.equal((await socket.closed).code, 4005);
  const errors = socket.all('error');
  assert.ok(errors.length > 0 && errors.every(({ code }) => code === 'RATE_LIMITED'), JSON.stringify(errors));
  await other.settled();
  await there.stop();
});

test('bytes count before they become a frame, and pings of the WebSocket protocol count, too', async () => {
  const there = await system.start({
    RATE_LIMIT_FRAMES_PER_SECOND: '5',
    RATE_LIMIT_BYTES_PER_SECOND: '1000',
  });
  const open = async () => {
    const socket = new RawSocket(
      `${there.url.replace('http', 'ws')}/ws?token=${await system.token(newUser())}`,
    );
    await once(socket, 'message');
    return socket;
  };
  const fragments = await open();
  const closed = once(fragments, 'close');
  for (let i = 0; i < 2000; i++) fragments.send('', { fin: false });
  assert.equal((await closed)[0], 4005);

  const pinging = await open();
  let pongs = 0;
  pinging.on('pong', () => {
    pongs += 1;
  });
  const left = once(pinging, 'close');
  for (let i = 0; i < 200; i++) pinging.ping();
  assert.equal((await left)[0], 4005);
  assert.ok(pongs >= 20 && pongs < 60, String(pongs));
  await there.stop();
});

test('a user’s frames are counted over all sockets', async () => {
  const there = await system.start({ RATE_LIMIT_FRAMES_PER_SECOND: '5' });
  const userId = newUser();
  const sockets = await Promise.all(Array.from({ length: 6 }, () => system.connect(there.url, userId)));
  // Each socket may send 20 at once, the user 80.
  for (const socket of sockets) for (let i = 0; i < 20; i++) socket.send('ping');
  const count = (type: string) => sockets.reduce((sum, socket) => sum + socket.all(type).length, 0);
  await eventually(() => count('pong') + count('error') === 120);
  assert.ok(count('pong') >= 80 && count('pong') < 110, `${count('pong')}`);
  const another = await system.connect(there.url, newUser());
  await another.settled();
  await there.stop();
});

test('a send that is not stored in time gets a retryable error, and sends beyond the queue limit are refused at once', async () => {
  const there = await system.start({ SEND_TIMEOUT_MS: '300', MAX_UNACKED_SENDS: '2' });
  const socket = await system.connect(there.url, newUser());
  for (const clientMsgId of ['a', 'b', 'c']) {
    socket.send('send-message', { conversationId: '99999', clientMsgId, content: 'x' });
  }
  await eventually(() => socket.all('error').length === 3);
  assert.deepEqual(
    socket.all('error').map(({ clientMsgId, code, retryable }) => [clientMsgId, code, retryable]),
    [
      ['c', 'UNAVAILABLE', true],
      ['a', 'UNAVAILABLE', true],
      ['b', 'UNAVAILABLE', true],
    ],
  );
  await there.stop();
});
