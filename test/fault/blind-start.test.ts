import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { newGuests } from '../support/people/guests.ts';
import { befriend, chat, gateway2Url, type Person } from '../support/people/people.ts';
import { kill } from '../support/servers/outage.ts';
import { setDoor } from '../support/storm/faults.ts';

const messages = 30;

afterEach(() => setDoor('repo-redis', { is: 'open' }));

test('im-repo starts again while it cannot reach Redis: open sockets miss nothing', {
  timeout: 120_000,
}, async (t) => {
  const [ann, bob] = (await newGuests(2)) as [Person, Person];
  const conversationId = await befriend(ann, bob);
  const [annChat, bobChat] = await Promise.all([chat(ann), chat(bob, gateway2Url)]);
  t.after(() => Promise.all([annChat.close(), bobChat.close()]));
  await setDoor('repo-redis', { is: 'shut' });
  const repo = kill('repo');
  for (let n = 0; n < messages; n += 1) {
    annChat.send('send-message', { conversationId, clientMsgId: `blind-${n}`, content: `blind ${n}` });
  }
  await eventually(() => annChat.all('message-ack').length === messages, 60_000);
  const received = () => bobChat.all('new-message').map(({ seqId }) => seqId);
  await eventually(() => received().length >= messages, 15_000).catch(() => undefined);
  await setDoor('repo-redis', { is: 'open' });
  await repo.recovered();
  assert.deepEqual(
    received(),
    Array.from({ length: messages }, (_, n) => n + 1),
  );
});
