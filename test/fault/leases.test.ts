import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FriendRequest } from '../../clients/sdk/rest.ts';
import { eventually } from '../support/eventually.ts';
import { newGuests } from '../support/people/guests.ts';
import { befriend, type Chat, chat, gateway2Url, type Person } from '../support/people/people.ts';
import { retryUntilAccepted } from '../support/people/retry-until-accepted.ts';
import { freeze, kill, whileFrozen } from '../support/servers/outage.ts';

/** A gateway renews its lease through repo. */
const leaseMs = 10_000;
/** Once it has ended, repo may still remember the gateway for as long again. */
const forgottenMs = 2 * leaseMs + 2000;
const messages = 20;

const seqs = (socket: Chat): number[] => socket.all('new-message').map(({ seqId }) => seqId);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

test('a gateway stands still for longer than its lease: its sockets miss nothing', {
  timeout: 120_000,
}, async () => {
  const [ann, bob] = (await newGuests(2)) as [Person, Person];
  const conversationId = await befriend(ann, bob);
  const [annChat, bobChat] = await Promise.all([chat(ann), chat(bob, gateway2Url)]);
  await whileFrozen(['gateway-2'], async () => {
    const frozenAt = Date.now();
    await eventually(() => Date.now() - frozenAt > forgottenMs, forgottenMs + 5000);
    for (let n = 0; n < messages; n += 1) await annChat.say(conversationId, `still ${n}`);
  });
  await eventually(() => seqs(bobChat).length >= messages, 30_000);
  assert.deepEqual(seqs(bobChat), upTo(messages));
  await Promise.all([annChat.close(), bobChat.close()]);
});

test('repo is down for longer than the gateways’ leases: open sockets miss nothing', {
  timeout: 180_000,
}, async () => {
  const [ann, bob, carl] = (await newGuests(3)) as [Person, Person, Person];
  const conversationId = await befriend(ann, bob);
  const [annChat, bobChat] = await Promise.all([chat(ann), chat(bob, gateway2Url)]);
  await annChat.say(conversationId, 'before');
  await eventually(() => seqs(bobChat).length === 1);

  freeze('repo');
  const frozenAt = Date.now();
  for (let n = 0; n < messages; n += 1) {
    annChat.send('send-message', { conversationId, clientMsgId: `away-${n}`, content: `away ${n}` });
  }
  await eventually(() => Date.now() - frozenAt > leaseMs + 1000, leaseMs + 5000);
  const repo = kill('repo');
  // Asked for as soon as repo is there again, before everything has settled.
  const { answer } = await retryUntilAccepted(() =>
    carl.rest.post<{ request: FriendRequest }>('/friends/requests', { targetUserId: bob.id }),
  );
  await eventually(() => seqs(bobChat).length === messages + 1, 60_000);
  assert.deepEqual(seqs(bobChat), upTo(messages + 1));
  await eventually(
    () => bobChat.all('friend-request').some(({ request }) => request.id === answer.request.id),
    60_000,
  );
  await repo.recovered();
  // Nobody has left, so nobody is announced as offline.
  assert.deepEqual(
    [...annChat.all('online-status'), ...bobChat.all('online-status')].filter(
      ({ status }) => status === 'offline',
    ),
    [],
  );
  await Promise.all([annChat.close(), bobChat.close()]);
});
