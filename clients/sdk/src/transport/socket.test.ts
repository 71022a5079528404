import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { openSocket } from './socket.ts';

/** A socket that is open, and a server that answers pings while `answers` is true. */
async function scene(t: TestContext) {
  t.mock.timers.enable({ apis: ['setInterval', 'Date'] });
  const server = { answers: true, pings: 0, hear: (_text: string) => {} };
  class Pretended {
    addEventListener(type: string, listener: (event: { data: string }) => void) {
      if (type === 'message') server.hear = (data) => listener({ data });
    }
    send() {
      server.pings += 1;
      if (server.answers) server.hear('{"type":"pong"}');
    }
    close() {}
  }
  const opening = openSocket({
    url: 'http://chat.test',
    token: 't',
    WebSocket: Pretended,
    onFrame() {},
    signal: new AbortController().signal,
  });
  server.hear('{"type":"welcome","data":{"sessionId":"s","userId":"1","heartbeatMs":30000}}');
  const socket = await opening;
  let closed: number | undefined;
  socket.closed.then(({ code }) => {
    closed = code;
  });
  const pass = async (seconds: number) => {
    for (let n = 0; n < seconds; n += 1) t.mock.timers.tick(1000);
    await Promise.resolve();
  };
  return { server, pass, closed: () => closed, setTime: (ms: number) => t.mock.timers.setTime(ms) };
}

test('a socket pings every 30 seconds, and a server that falls silent counts as gone 5 seconds later', async (t) => {
  const { server, pass, closed } = await scene(t);
  await pass(65);
  assert.equal(server.pings, 2);
  server.answers = false;
  await pass(29);
  assert.equal(closed(), undefined);
  await pass(2);
  assert.equal(closed(), 4000);
});

test('after the device has slept, a dead socket is found within 6 seconds, without a reload', async (t) => {
  const { server, pass, closed } = await scene(t);
  await pass(3);
  server.answers = false;
  const before = server.pings;
  // No timer ran for ten minutes.
  t.mock.timers.setTime(Date.now() + 600_000);
  await pass(1);
  assert.ok(server.pings > before, 'asked at once');
  await pass(5);
  assert.equal(closed(), 4000);
});

test('after the device has slept, a socket that is still alive stays', async (t) => {
  const { pass, closed } = await scene(t);
  await pass(3);
  t.mock.timers.setTime(Date.now() + 600_000);
  await pass(20);
  assert.equal(closed(), undefined);
});
