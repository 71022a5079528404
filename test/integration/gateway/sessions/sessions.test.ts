import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { test } from 'node:test';
import { WebSocket as RawSocket } from 'ws';
import { GoChatError } from '../../../../lib/errors.ts';
import { PusherServiceService } from '../../../../lib/gen/im_gateway/v1/pusher.ts';
import { createClient, openChannel } from '../../../../lib/grpc/client.ts';
import { eventually } from '../../../support/eventually.ts';
import { type GatewaySystem, openGatewaySystem } from '../../../support/gateway/gateway-system.ts';
import { eventRecord } from '../../../support/gateway/records.ts';

type Started = Awaited<ReturnType<GatewaySystem['start']>>;
const system = await openGatewaySystem();
const here = await system.start();
const { newUser } = system;

/** Holds presence flushes back until released. */
function holdFlushes() {
  const { promise, resolve } = Promise.withResolvers<void>();
  system.presence.state.before = () => promise;
  return () => {
    system.presence.state.before = () => Promise.resolve();
    resolve();
  };
}

test('welcome is the first frame, and is sent after the session is registered', async () => {
  const [userId, witnessId] = [newUser(), newUser()];
  const witness = await system.connect(here.url, witnessId);
  const release = holdFlushes();
  const url = `${here.url.replace('http', 'ws')}/ws?token=${await system.token(userId)}`;
  const socket = new RawSocket(url);
  const frames: { type: string; data: Record<string, unknown> }[] = [];
  socket.on('message', (bytes) => frames.push(JSON.parse(String(bytes))));
  await once(socket, 'open');
  socket.send('{"type":"ping"}');
  await here.deliver({ events: [eventRecord([userId, witnessId], 'before')] });
  await witness.expect('conversation-updated');
  assert.equal(frames.length, 0);
  release();
  await eventually(() => frames.length >= 2);
  await here.deliver({ events: [eventRecord([userId], 'after')] });
  await eventually(() => frames.some(({ data }) => data?.name === 'after'));
  assert.deepEqual(
    frames.map(({ type }) => type),
    ['welcome', 'pong', 'conversation-updated'],
  );
  assert.deepEqual([frames[0]?.data.userId, frames[0]?.data.heartbeatMs], [userId, 30_000]);
  assert.ok(system.presence.sessions.has(String(frames[0]?.data.sessionId)));
  socket.close();
  await witness.close();
});

test('two hundred connects at once are a few flushes', async () => {
  const before = system.presence.flushes.length;
  const release = holdFlushes();
  const connecting = Array.from({ length: 200 }, () => system.connect(here.url, newUser()));
  await eventually(async () => (await metric(here, 'gochat_gateway_connections')) >= 200);
  release();
  const sockets = await Promise.all(connecting);
  assert.ok(system.presence.flushes.length - before < 50, String(system.presence.flushes.length - before));
  await Promise.all(sockets.map((socket) => socket.close()));
});

test('the first session and the last one of a user become events', async () => {
  const userId = newUser();
  const events = await system.userEvents([userId]);
  const one = await system.connect(here.url, userId);
  const two = await system.connect(here.url, userId);
  await one.close();
  await two.close();
  await eventually(() => events.length === 2);
  const [online, gone] = events;
  assert.deepEqual([online?.type, gone?.type], ['user.online', 'user.disconnected']);
  const epoch = online && 'epoch' in online ? online.epoch : '';
  assert.deepEqual(
    events.map(({ event_id }) => event_id),
    [`user.online/${userId}/${epoch}`, `user.disconnected/${userId}/${epoch}`],
  );
});

test('a flush that fails is sent again, and welcome waits for it', async () => {
  let failures = 2;
  system.presence.state.before = async () => {
    failures -= 1;
    if (failures >= 0) throw new GoChatError('UNAVAILABLE', 'Not now.');
  };
  const userId = newUser();
  const socket = await system.connect(here.url, userId);
  assert.ok(failures < 0);
  assert.ok(system.presence.sessions.has(socket.sessionId));
  await socket.close();
});

test('welcome waits until im-repo knows the gateway, which is no receiver of events before', async (t) => {
  const { state, gateways } = system.presence;
  t.after(() => {
    state.beforeRenewal = () => Promise.resolve();
  });
  state.beforeRenewal = async () => {
    throw new GoChatError('UNAVAILABLE', 'for the test');
  };
  const early = await system.start();
  const connecting = system.connect(early.url, newUser());
  const first = await Promise.race([
    connecting.then(() => 'welcome'),
    eventually(async () => (await metric(early, 'gochat_gateway_connections')) >= 1).then(() => 'open'),
  ]);
  assert.equal(first, 'open');
  state.beforeRenewal = () => Promise.resolve();
  const chat = await connecting;
  assert.ok(gateways.has(early.id));
  await chat.close();
  await early.stop();
});

test('sessions get welcome while Redis is down, and all are sent again afterwards', async () => {
  system.presence.state.registered = false;
  const socket = await system.connect(here.url, newUser());
  system.presence.state.registered = true;
  system.presence.sessions.clear();
  const renewals = system.presence.renewals.length;
  system.presence.state.resync = true;
  await eventually(() => system.presence.sessions.has(socket.sessionId));
  await eventually(() => system.presence.renewals.slice(renewals).includes(true));
  await socket.close();
});

test('users who leave while Redis is down are announced afterwards', async () => {
  const userId = newUser();
  const events = await system.userEvents([userId]);
  const socket = await system.connect(here.url, userId);
  await eventually(() => events.length === 1);
  const known = system.presence.sessions.get(socket.sessionId);
  assert.ok(known);
  system.presence.state.registered = false;
  await socket.close();
  await eventually(() => !system.presence.sessions.has(socket.sessionId));
  // Nothing of that reached Redis.
  system.presence.sessions.set(socket.sessionId, known);
  system.presence.state.registered = true;
  await eventually(() => events.filter(({ type }) => type === 'user.disconnected').length >= 2);
  assert.ok(!system.presence.sessions.has(socket.sessionId));
});

test('a revoked login session loses its sockets with 4001 within seconds', async () => {
  const [userId, sid] = [newUser(), randomUUID()];
  const [one, two] = [
    await system.connect(here.url, userId, sid),
    await system.connect(here.url, userId, sid),
  ];
  const kept = await system.connect(here.url, userId);
  system.revoked.push(sid);
  assert.deepEqual([(await one.closed).code, (await two.closed).code], [4001, 4001]);
  const token = await system.token(userId, sid);
  const answer = await fetch(`${here.url}/users/profile`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal(answer.status, 401);
  await kept.settled();
  await kept.close();
});

test('a silent session is closed, one that sends pings is not', async () => {
  const there = await system.start({ HEARTBEAT_TIMEOUT_MS: '400' });
  const [silent, lively] = [
    await system.connect(there.url, newUser()),
    await system.connect(there.url, newUser()),
  ];
  const pinging = setInterval(() => lively.send('ping'), 50);
  await silent.closed;
  await lively.settled();
  clearInterval(pinging);
  assert.equal((await lively.close()).code, 1000);
  await there.stop();
});

test('a push reaches the sockets of users on every gateway, the same event once', async () => {
  const there = await system.start();
  const [ann, bob] = [newUser(), newUser()];
  const [atHere, atThere] = [await system.connect(here.url, ann), await system.connect(there.url, bob)];
  const channel = openChannel(`127.0.0.1:${here.gateway.grpcPort}`, undefined);
  const pusher = createClient(channel, PusherServiceService);
  const push = {
    userIds: [ann, bob, '424242'],
    type: 'friend-request',
    dataJson: '{"request":{"id":"7"}}',
    excludeSessionId: '',
    eventId: 'event-1',
  };
  assert.deepEqual(await pusher.pushToUsers({ pushes: [push], localOnly: false }), { delivered: 2 });
  assert.deepEqual(await pusher.pushToUsers({ pushes: [push], localOnly: false }), { delivered: 0 });
  const except = { ...push, eventId: 'event-2', type: 'message-read', excludeSessionId: atThere.sessionId };
  assert.deepEqual(await pusher.pushToUsers({ pushes: [except], localOnly: false }), { delivered: 1 });
  for (const socket of [atHere, atThere]) {
    assert.deepEqual(await socket.expect('friend-request'), { request: { id: '7' } });
    await socket.settled();
    assert.equal(socket.all('friend-request').length, 1);
  }
  assert.deepEqual([atHere.all('message-read').length, atThere.all('message-read').length], [1, 0]);
  assert.deepEqual(await pusher.pushToUsers({ pushes: [{ ...push, eventId: '' }], localOnly: true }), {
    delivered: 1,
  });

  // A gateway that cannot be reached: its users' push is to be tried again, the others have theirs.
  const lost = system.presence.gateways.get(there.id);
  assert.ok(lost);
  system.presence.gateways.set(there.id, { ...lost, pushAddress: '127.0.0.1:1', bootId: 'gone' });
  const again = { ...push, eventId: 'event-3', type: 'online-status' };
  await assert.rejects(
    pusher.pushToUsers({ pushes: [again], localOnly: false }),
    (error) => error instanceof GoChatError && error.code === 'UNAVAILABLE',
  );
  await atHere.expect('online-status');
  system.presence.gateways.set(there.id, lost);
  assert.deepEqual(await pusher.pushToUsers({ pushes: [again], localOnly: false }), { delivered: 1 });
  channel.close();
  await Promise.all([atHere.close(), atThere.close()]);
  await there.stop();
});

test('a change of a member’s role or mute is not sent after the removal', async () => {
  const userId = newUser();
  const socket = await system.connect(here.url, userId);
  const channel = openChannel(`127.0.0.1:${here.gateway.grpcPort}`, undefined);
  const pusher = createClient(channel, PusherServiceService);
  const push = {
    userIds: [userId],
    type: 'conversation-updated',
    dataJson: '{"conversation":{"id":"7007","role":1}}',
    excludeSessionId: '',
  };
  const update = (eventId: string) => pusher.pushToUsers({ pushes: [{ ...push, eventId }], localOnly: true });
  const event = { event_id: userId, conversation_id: '7007', target_user_ids: [userId], last_seq_id: 3 };
  assert.deepEqual(await update('place-1'), { delivered: 1 });
  const removed = { conversationId: '7007', userIds: [userId], by: '1' };
  await here.deliver({ events: [{ ...event, frame: 'member-removed', data: removed }] });
  await socket.expect('member-removed');
  assert.deepEqual(await update('place-2'), { delivered: 0 });
  const added = { conversationId: '7007', members: [{ id: userId }] };
  await here.deliver({ events: [{ ...event, frame: 'member-added', data: added }] });
  await socket.expect('member-added');
  assert.deepEqual(await update('place-3'), { delivered: 1 });
  channel.close();
  await socket.close();
});

test('a draining gateway closes all sockets with 4003, and leaves no sessions behind', async () => {
  const there = await system.start();
  const userIds = [newUser(), newUser(), newUser()];
  const events = await system.userEvents(userIds);
  const sockets = await Promise.all(userIds.map((userId) => system.connect(there.url, userId)));
  sockets[0]?.send('mark-read', { conversationId: '77', seqId: 4 });
  await sockets[0]?.settled();
  await there.stop();
  assert.deepEqual(
    (await Promise.all(sockets.map(({ closed }) => closed))).map(({ code }) => code),
    [4003, 4003, 4003],
  );
  assert.ok(system.reads.flat().some(({ sessionId }) => sessionId === sockets[0]?.sessionId));
  assert.ok(!system.presence.gateways.has(there.id));
  assert.ok(sockets.every(({ sessionId }) => !system.presence.sessions.has(sessionId)));
  await eventually(() => events.filter(({ type }) => type === 'user.disconnected').length === 3);
});

async function metric(gateway: Started, name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${gateway.gateway.metricsPort}/metrics`)).text();
  return Number(text.match(new RegExp(`^${name} (.*)$`, 'm'))?.[1]);
}
