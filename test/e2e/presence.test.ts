import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  befriend,
  type Chat,
  chat,
  type Data,
  gateway2Url,
  newFriends,
  newPerson,
} from '../support/people/people.ts';

const confirmMs = Number(process.env.OFFLINE_CONFIRM_MS ?? 30_000);

const seenOf = (socket: Chat, userId: string): string[] =>
  socket
    .all('online-status')
    .filter((data: Data) => data.userId === userId)
    .map((data: Data) => data.status);

test('only friends are notified that a user went offline, once, and not before the time to return has passed', async () => {
  const { ann, bob } = await newFriends();
  const eve = await newPerson('eve');
  const [bobChat, eveChat] = [await chat(bob, gateway2Url), await chat(eve)];
  const [phone, laptop] = [await chat(ann), await chat(ann, gateway2Url)];
  await bobChat.expect('online-status', (data) => data.userId === ann.id && data.status === 'online');
  const { friends } = await bob.rest.get<{ friends: Data[] }>('/friends');
  assert.equal(friends[0].online, true);

  await phone.close();
  const leftAt = Date.now();
  await laptop.close();
  const told = await bobChat.expect(
    'online-status',
    (data) => data.userId === ann.id && data.status === 'offline',
  );
  const took = Date.now() - leftAt;
  assert.ok(took >= confirmMs - 200, `${took} ms`);
  assert.ok(took < confirmMs + 5000, `${took} ms`);
  assert.ok(told.lastActiveAt > leftAt - 60_000 && told.lastActiveAt <= Date.now());

  // Others get a later event; if they were to get this one, it would have come before.
  const again = await chat(ann);
  await bobChat.expect(
    'online-status',
    (data) => data.userId === ann.id && seenOf(bobChat, ann.id).length === 3,
  );
  assert.deepEqual(seenOf(bobChat, ann.id), ['online', 'offline', 'online']);
  await eveChat.settled();
  assert.deepEqual(eveChat.all('online-status'), []);
  await Promise.all([again.close(), bobChat.close(), eveChat.close()]);
});

test('a quick reconnect is announced neither as offline nor as online, on any gateway and however often', async () => {
  const { ann, bob } = await newFriends();
  const cy = await newPerson('cy');
  await befriend(cy, bob);
  const [bobChat, cyChat] = [await chat(bob), await chat(cy)];
  let annChat = await chat(ann);
  await bobChat.expect('online-status', (data) => data.userId === ann.id);
  for (const url of [gateway2Url, undefined, gateway2Url]) {
    await annChat.close();
    annChat = await chat(ann, url);
  }
  // He gets the event of a user who left later; hers would have come before.
  await cyChat.close();
  await bobChat.expect('online-status', (data) => data.userId === cy.id && data.status === 'offline');
  await bobChat.settled();
  assert.deepEqual(seenOf(bobChat, ann.id), ['online']);
  await Promise.all([annChat.close(), bobChat.close()]);
});

test('a user who is no longer a friend at that time is not notified', async () => {
  const { ann, bob } = await newFriends();
  const cy = await newPerson('cy');
  await befriend(ann, cy);
  const [bobChat, cyChat, annChat] = [await chat(bob), await chat(cy), await chat(ann)];
  await bobChat.expect('online-status', (data) => data.userId === ann.id);
  await annChat.close();
  await bob.rest.delete(`/friends/${ann.id}`);
  await cyChat.expect('online-status', (data) => data.userId === ann.id && data.status === 'offline');
  await bobChat.settled();
  assert.deepEqual(seenOf(bobChat, ann.id), ['online']);
  await Promise.all([bobChat.close(), cyChat.close()]);
});
