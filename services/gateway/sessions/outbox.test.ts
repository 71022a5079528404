import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { encodeForeignFrame, encodeFrame } from './frame-buffer.ts';
import { createOutbox } from './outbox.ts';
import type { Session } from './session.ts';
import { createSessions } from './sessions.ts';

/** A connection that records each write, and one that accepts no bytes. */
function createConnection({ stuck = false } = {}) {
  const writes: Buffer[][] = [];
  const stream = new Duplex({
    highWaterMark: 1024 * 1024,
    write(chunk: Buffer, _encoding, done) {
      writes.push([chunk]);
      if (!stuck) done();
    },
    writev(chunks, done) {
      writes.push(chunks.map(({ chunk }) => chunk as Buffer));
      if (!stuck) done();
    },
  });
  return { stream, writes };
}

let sessionCount = 0;

function sessionOn(stream: Duplex, userId = '1'): Session {
  sessionCount += 1;
  return {
    id: `session-${sessionCount}`,
    userId,
    loginSessionId: 'login',
    socket: { readyState: 1, OPEN: 1 },
    stream,
    state: 'open',
    outbox: [],
  } as unknown as Session;
}

function createWorld(limitBytes = 1024 * 1024) {
  const tooSlow: Session[] = [];
  const outbox = createOutbox({
    limitBytes,
    onTooSlow: (session) => void tooSlow.push(session),
    onWritten: () => undefined,
  });
  return { outbox, tooSlow, sessions: createSessions({ outbox, onGone: () => undefined }) };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

for (const [size, content] of [
  ['small', 'hello'],
  ['large', 'x'.repeat(3000)],
] as const) {
  test(`fifty ${size} frames of one turn reach the connection at once, in their order`, async () => {
    const { outbox } = createWorld();
    const { stream, writes } = createConnection();
    const session = sessionOn(stream);
    const frames = Array.from({ length: 50 }, (_, n) => encodeForeignFrame('new-message', { n, content }));
    for (const frame of frames) outbox.send(session, frame);
    assert.equal(writes.length, 0);
    await turn();
    assert.equal(writes.length, 1);
    assert.deepEqual(Buffer.concat(writes.flat()), Buffer.concat(frames));
  });
}

test('a frame for many sessions is encoded once, and all share its bytes', async () => {
  const { sessions } = createWorld();
  const connections = Array.from({ length: 20 }, () => createConnection());
  for (const [index, { stream }] of connections.entries()) sessions.add(sessionOn(stream, String(index % 4)));
  const frame = encodeForeignFrame('new-message', { content: 'to all of you' });
  let sent = 0;
  for (const userId of ['0', '1', '2', '3', 'nobody']) sent += sessions.sendToUser(userId, frame);
  assert.equal(sent, 20);
  await turn();
  for (const { writes } of connections) assert.equal(writes[0]?.[0], frame);
});

test('a session before its welcome, or after its close, gets nothing', async () => {
  const { sessions } = createWorld();
  const { stream, writes } = createConnection();
  for (const state of ['connecting', 'closing'] as const) sessions.add({ ...sessionOn(stream), state });
  assert.equal(sessions.sendToUser('1', encodeFrame('pong')), 0);
  assert.equal(sessions.broadcast(encodeFrame('pong')), 0);
  await turn();
  assert.equal(writes.length, 0);
});

test('a session with more waiting than the limit is too slow, the others are not', async () => {
  const { outbox, tooSlow } = createWorld(10_000);
  const stuck = sessionOn(createConnection({ stuck: true }).stream);
  const reading = sessionOn(createConnection().stream);
  for (let n = 0; n < 3; n += 1) {
    for (const session of [stuck, reading]) {
      outbox.send(session, encodeForeignFrame('new-message', { content: 'x'.repeat(6000) }));
    }
    await turn();
  }
  assert.ok(tooSlow.includes(stuck));
  assert.ok(!tooSlow.includes(reading));
});
