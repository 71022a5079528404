import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { friendRequestStatus } from '../../../../lib/domain/enumerations.ts';
import { GoChatError } from '../../../../lib/errors.ts';
import type { User } from '../../../../lib/gen/im_repo/v1/user.ts';
import { eventually } from '../../../support/eventually.ts';
import { refusal } from '../../../support/refused-with.ts';
import { openFriendsRepo } from '../../../support/repo/friends-repo.ts';

const { pending, accepted, rejected, blocked, expired, withdrawn } = friendRequestStatus;
const ttlMs = 60_000;
const { parts, friendships, newUser, ask, decide, befriend, standing } = await openFriendsRepo();
let alice: User;
let bob: User;

beforeEach(async () => {
  [alice, bob] = await Promise.all([newUser(), newUser()]);
});

const eventsOf = async (requestId: string) =>
  (await parts.events()).filter((event) => event.request_id === requestId).map(({ type }) => type);

test('a request is stored once, and causes one event', async () => {
  const first = await ask(alice, bob);
  assert.equal(first.created, true);
  assert.deepEqual([first.requester, first.target, first.status, first.message], [alice, bob, pending, 'hi']);
  assert.equal(first.expiresAt - first.createdAt, ttlMs);
  const second = await ask(alice, bob);
  assert.deepEqual([second.id, second.created], [first.id, false]);
  assert.deepEqual(await eventsOf(first.id), ['friend.request.created']);
});

test('while one is pending the other direction answers that one', async () => {
  const first = await ask(alice, bob);
  const back = await ask(bob, alice);
  assert.deepEqual([back.id, back.created, back.requester], [first.id, false, alice]);
});

test('a rejected requester may ask again only after a while; others may at once', async () => {
  const hour = 3_600_000;
  const askSoon = (from: User, to: User) => ask(from, to, ttlMs, hour);
  const { id } = await askSoon(alice, bob);
  await decide(id, bob, 2);
  await assert.rejects(askSoon(alice, bob), (error) => {
    assert.ok(error instanceof GoChatError && error.code === 'RATE_LIMITED');
    assert.ok(
      error.retryAfterMs !== undefined && error.retryAfterMs > hour - 60_000 && error.retryAfterMs <= hour,
    );
    return true;
  });
  await parts.databases.users.execute(
    'UPDATE friendship_requests SET updated_at = updated_at - ? WHERE id = ?',
    [hour, Number(id)],
  );
  const second = await askSoon(alice, bob);
  assert.equal(second.created, true, 'the while is over');
  await decide(second.id, bob, 2);

  // The other one's own request has no wait, and answers as ever.
  const back = await askSoon(bob, alice);
  assert.equal(back.created, true);
  assert.equal((await askSoon(alice, bob)).id, back.id);
  await decide(back.id, alice, 1);
  await friendships.deleteFriend({ userId: alice.id, friendId: bob.id });
  assert.equal((await askSoon(alice, bob)).created, true, 'they were friends since');
});

test('a withdrawal and an expiry have no such wait', async () => {
  const askSoon = (ttl: number) => ask(alice, bob, ttl, 3_600_000);
  await decide((await askSoon(ttlMs)).id, alice, 5);
  const second = await askSoon(1);
  assert.equal(second.created, true);
  await eventually(() => Date.now() > second.expiresAt);
  assert.equal((await askSoon(ttlMs)).created, true);
});

test('of many requests at once, in both directions, one is stored', async () => {
  const asked = await Promise.all(
    Array.from({ length: 12 }, (_, n) => (n % 2 ? ask(alice, bob) : ask(bob, alice))),
  );
  assert.equal(asked.filter(({ created }) => created).length, 1);
  assert.equal(new Set(asked.map(({ id }) => id)).size, 1);
});

test('requests to oneself, to unknown users and to friends are refused', async () => {
  await assert.rejects(ask(alice, alice), refusal('INVALID_ARGUMENT'));
  for (const id of ['99', 'x', '']) {
    await assert.rejects(
      friendships.createFriendRequest({ requesterId: alice.id, targetId: id, message: '', ttlMs }),
      refusal('USER_NOT_FOUND'),
    );
  }
  await befriend(alice, bob);
  await assert.rejects(ask(bob, alice), refusal('ALREADY_FRIENDS'));
});

test('acceptance makes both friends at once; its event waits for the conversation', async () => {
  const { id } = await ask(alice, bob);
  assert.deepEqual(await decide(id, bob, accepted), { status: accepted, changed: true });
  assert.deepEqual((await standing(alice, bob)).friends, true);
  assert.deepEqual((await standing(bob, alice)).friends, true);
  assert.deepEqual(await eventsOf(id), ['friend.request.created']);
});

test('a decision can be repeated and not be changed', async () => {
  const { id } = await ask(alice, bob);
  await decide(id, bob, accepted);
  assert.deepEqual(await decide(id, bob, accepted), { status: accepted, changed: false });
  await assert.rejects(decide(id, bob, rejected), refusal('REQUEST_ALREADY_HANDLED'));
  await assert.rejects(decide(id, alice, withdrawn), refusal('REQUEST_ALREADY_HANDLED'));
});

test('of all decisions at once one wins, and friendship follows it', async () => {
  const { id } = await ask(alice, bob);
  const results = await Promise.allSettled([
    decide(id, bob, accepted),
    decide(id, bob, rejected),
    decide(id, alice, withdrawn),
    decide(id, undefined, expired),
    decide(id, bob, accepted),
    decide(id, bob, rejected),
  ]);
  const won = results.filter((result) => result.status === 'fulfilled' && result.value.changed);
  assert.equal(won.length, 1);
  const { request } = await friendships.getFriendRequest({ requestId: id, userId: '', otherUserId: '' });
  assert.equal((await standing(alice, bob)).friends, request?.status === accepted);
});

test('only the target decides and only the requester withdraws', async () => {
  const { id } = await ask(alice, bob);
  await assert.rejects(decide(id, alice, accepted), refusal('PERMISSION_DENIED'));
  await assert.rejects(decide(id, await newUser(), rejected), refusal('PERMISSION_DENIED'));
  await assert.rejects(decide(id, bob, withdrawn), refusal('PERMISSION_DENIED'));
  await assert.rejects(decide(id, bob, expired), refusal('PERMISSION_DENIED'));
  for (const status of [pending, blocked, 7])
    await assert.rejects(decide(id, bob, status), refusal('INVALID_ARGUMENT'));
  for (const missing of ['99', 'x', ''])
    await assert.rejects(decide(missing, bob, accepted), refusal('REQUEST_NOT_FOUND'));
});

test('rejection, withdrawal and expiry cause events, and allow a new request', async () => {
  for (const [status, actor, type] of [
    [rejected, bob, 'rejected'],
    [withdrawn, alice, 'withdrawn'],
    [expired, undefined, 'expired'],
  ] as const) {
    const { id, created } = await ask(alice, bob);
    assert.equal(created, true);
    await decide(id, actor, status);
    assert.deepEqual(await eventsOf(id), ['friend.request.created', `friend.request.${type}`]);
  }
});

test('an overdue request counts as expired in every read, decision and new request, before it is marked', async () => {
  const first = await ask(alice, bob, -1);
  const list = async (status: number) =>
    (
      await friendships.listFriendRequests({ userId: bob.id, outgoing: false, status, limit: 0, offset: 0 })
    ).requests.map(({ id, status }) => [id, status]);
  assert.deepEqual(await list(pending), []);
  assert.deepEqual(await list(expired), [[first.id, expired]]);
  const { request } = await friendships.getFriendRequest({
    requestId: first.id,
    userId: '',
    otherUserId: '',
  });
  assert.equal(request?.status, expired);
  await assert.rejects(decide(first.id, bob, accepted), refusal('REQUEST_ALREADY_HANDLED'));
  assert.deepEqual(await eventsOf(first.id), ['friend.request.created', 'friend.request.expired']);

  const second = await ask(alice, bob, -1);
  const third = await ask(bob, alice);
  assert.deepEqual([second.created, third.created], [true, true]);
  assert.deepEqual(await eventsOf(second.id), ['friend.request.created', 'friend.request.expired']);
  assert.equal((await standing(alice, bob)).friends, false);
});

test('the latest request of a pair is found from both sides', async () => {
  const first = await ask(alice, bob);
  await decide(first.id, bob, rejected);
  const second = await ask(bob, alice);
  for (const [userId, otherUserId] of [
    [alice.id, bob.id],
    [bob.id, alice.id],
  ] as const) {
    const { request } = await friendships.getFriendRequest({ requestId: '', userId, otherUserId });
    assert.equal(request?.id, second.id);
  }
  await assert.rejects(
    friendships.getFriendRequest({ requestId: '', userId: alice.id, otherUserId: (await newUser()).id }),
    refusal('REQUEST_NOT_FOUND'),
  );
});

test('requests are listed by direction and status, newest first, by page', async () => {
  const others = await Promise.all([newUser(), newUser(), newUser()]);
  const sent = [];
  for (const other of others) sent.push((await ask(alice, other)).id);
  await ask(bob, alice);
  await decide(sent[1] ?? '', others[1], rejected);
  const list = async (over: { status?: number; limit?: number; offset?: number }) =>
    (
      await friendships.listFriendRequests({ userId: alice.id, outgoing: true, limit: 0, offset: 0, ...over })
    ).requests.map(({ id }) => id);
  assert.deepEqual(await list({}), sent.toReversed());
  assert.deepEqual(await list({ status: rejected }), [sent[1]]);
  assert.deepEqual(await list({ limit: 1, offset: 1 }), [sent[1]]);
  const { requests } = await friendships.listFriendRequests({
    userId: alice.id,
    outgoing: false,
    limit: 0,
    offset: 0,
  });
  assert.deepEqual(
    requests.map(({ requester }) => requester),
    [bob],
  );
});
