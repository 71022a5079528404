import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { newGuests } from '../support/people/guests.ts';
import { chat, gateway2Url, type Person } from '../support/people/people.ts';
import { setDoor } from '../support/storm/faults.ts';

/** A gateway renews its lease through im-repo. */
const leaseMs = 10_000;
const worldRoom = '1';
const messages = 5;

afterEach(() => setDoor('gateway-2-repo', { is: 'open' }));

test('a gateway cannot reach im-repo for longer than its lease: its sockets miss nothing of the world room', {
  timeout: 120_000,
}, async (t) => {
  const [ann, bob] = (await newGuests(2)) as [Person, Person];
  const [annChat, bobChat] = await Promise.all([chat(ann), chat(bob, gateway2Url)]);
  t.after(() => Promise.all([annChat.close(), bobChat.close()]));
  await setDoor('gateway-2-repo', { is: 'silent' });
  const since = Date.now();
  await eventually(() => Date.now() - since > leaseMs + 3000, leaseMs + 5000);

  const sent: number[] = [];
  for (let n = 0; n < messages; n += 1) sent.push((await annChat.say(worldRoom, `meanwhile ${n}`)).seqId);
  const received = () => bobChat.all('new-message').map(({ seqId }) => seqId);
  await eventually(() => received().length >= messages, 30_000).catch(() => undefined);
  assert.deepEqual(received(), sent);
});
