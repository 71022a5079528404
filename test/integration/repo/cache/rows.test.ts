import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { test } from 'node:test';
import { eventually } from '../../../support/eventually.ts';
import { openConversationRepo } from '../../../support/repo/open-repo.ts';
import { createUserParts } from '../../../support/repo/user-parts.ts';

type Scene = { readers: string[]; change(): Promise<unknown> };
type Trio = [string, string, string];

/** A reader that has read the row from the database, and is held before it stores the value in the cache. */
const held = new AsyncLocalStorage<{ arrive(): void; goOn: Promise<void> }>();

const { redis, repo } = await openConversationRepo();
const users = createUserParts(repo);
const { query } = repo.databases.users;
repo.databases.users.query = async <R>(...args: Parameters<typeof query>) => {
  const rows = await query<R>(...args);
  const hold = held.getStore();
  hold?.arrive();
  await hold?.goOn;
  return rows;
};

/** Ann owns a group that Bob is in, she and Bob are friends and have talked; Cy is somebody else. */
async function people() {
  const [ann, bob, cy] = [await repo.newGuest(), await repo.newGuest(), await repo.newGuest()] as Trio;
  await repo.befriend(ann, bob);
  const group = await repo.newGroup([ann, bob]);
  await repo.say(group, ann, 'from before');
  const messageId = await repo.say(group, bob, 'the second');
  return { ann, bob, cy, group, messageId };
}

/** Every kind of change that shows in somebody's list of conversations. */
const scenes: Record<string, () => Promise<Scene>> = {
  async 'a message'() {
    const { ann, bob, group } = await people();
    return { readers: [ann, bob], change: () => repo.say(group, ann, 'a new one') };
  },
  async 'a recall'() {
    const { ann, bob, group, messageId } = await people();
    return { readers: [ann, bob], change: () => repo.recall(group, bob, messageId) };
  },
  async 'a read mark'() {
    const { ann, group } = await people();
    const read = { userId: ann, conversationId: group, seqId: 2 };
    return { readers: [ann], change: () => repo.conversations.updateReadPointer(read) };
  },
  async 'an added member'() {
    const { ann, bob, cy, group } = await people();
    const added = { actorId: ann, conversationId: group, userIds: [cy] };
    return { readers: [ann, bob, cy], change: () => repo.conversations.addConversationMember(added) };
  },
  async 'a removed member'() {
    const { ann, bob, group } = await people();
    const removed = { actorId: ann, conversationId: group, userIds: [bob] };
    return { readers: [ann, bob], change: () => repo.conversations.removeConversationMember(removed) };
  },
  async 'another role and a mute'() {
    const { ann, bob, group } = await people();
    const changed = { actorId: ann, conversationId: group, userId: bob, role: 2, muted: true };
    return { readers: [ann, bob], change: () => repo.conversations.updateConversationMember(changed) };
  },
  async 'what a member chose'() {
    const { bob, group } = await people();
    const chosen = { userId: bob, conversationId: group, notifications: 'mentions', pinned: true };
    return { readers: [bob], change: () => repo.conversations.updateMemberChoices(chosen) };
  },
  async 'a conversation that is hidden'() {
    const { bob, group } = await people();
    const hidden = { userId: bob, conversationId: group, hidden: true };
    return { readers: [bob], change: () => repo.conversations.updateMemberChoices(hidden) };
  },
  async 'a message in a conversation that was hidden'() {
    const { ann, bob, group } = await people();
    await repo.conversations.updateMemberChoices({ userId: bob, conversationId: group, hidden: true });
    return { readers: [bob], change: () => repo.say(group, ann, 'here again') };
  },
  async 'another owner'() {
    const { ann, bob, group } = await people();
    const given = { actorId: ann, conversationId: group, userId: bob };
    return { readers: [ann, bob], change: () => repo.conversations.transferOwnership(given) };
  },
  async 'another name of a group'() {
    const { ann, bob, group } = await people();
    const changed = { actorId: ann, conversationId: group, name: 'renamed' };
    return { readers: [ann, bob], change: () => repo.conversations.updateConversation(changed) };
  },
  async 'a dissolved group'() {
    const { ann, bob, group } = await people();
    const dissolved = { actorId: ann, conversationId: group };
    return { readers: [ann, bob], change: () => repo.conversations.dissolveConversation(dissolved) };
  },
  async 'a new group'() {
    const { ann, bob, cy } = await people();
    return { readers: [ann, bob, cy], change: () => repo.newGroup([ann, bob, cy]) };
  },
  async 'a new single conversation'() {
    const { ann, bob } = await people();
    return { readers: [ann, bob], change: () => repo.openSingle(ann, bob) };
  },
  async 'another display name'() {
    const { ann, bob } = await people();
    const changed = { userId: bob, displayName: 'Robert' };
    return { readers: [ann, bob], change: () => users.updateUser(changed) };
  },
  async 'a guest who registers'() {
    const { ann, bob } = await people();
    const upgraded = { userId: bob, username: `bob-${bob}`, password: 'correct horse battery' };
    return { readers: [ann], change: () => users.upgradeGuest(upgraded) };
  },
  async 'an account that is closed'() {
    const { ann, bob } = await people();
    return { readers: [ann], change: () => users.closeAccount({ userId: bob, idleGuestBefore: 0 }) };
  },
  async 'somebody who leaves everything'() {
    const { ann, bob } = await people();
    await users.closeAccount({ userId: bob, idleGuestBefore: 0 });
    return { readers: [ann], change: () => repo.conversations.leaveConversations({ userId: bob, limit: 0 }) };
  },
  async 'a new account'() {
    const { ann } = await people();
    return { readers: [ann], change: () => repo.newGuest() };
  },
};

const lists = (readers: readonly string[]) => Promise.all(readers.map((reader) => repo.list(reader)));
const cached = (readers: readonly string[]) =>
  eventually(async () => {
    const keys = readers.flatMap((id) => [`user:conversations:full:${id}`, `user:unread:${id}`]);
    return (await redis.client.exists(keys)) === keys.length;
  });

/** Asserts that the lists, read now and read again, equal those in the database. */
async function assertTrue(readers: readonly string[]): Promise<void> {
  const read = await lists(readers);
  const again = await lists(readers);
  await redis.client.flushall();
  const truth = await lists(readers);
  assert.deepEqual(read, truth);
  assert.deepEqual(again, truth);
}

for (const [what, prepare] of Object.entries(scenes)) {
  test(`${what} shows in lists that were cached before`, async () => {
    const { readers, change } = await prepare();
    await redis.client.flushall();
    const before = await lists(readers);
    await cached(readers);
    assert.deepEqual(await lists(readers), before);
    await change();
    assert.notDeepEqual(await lists(readers), before);
    await assertTrue(readers);
  });

  test(`${what} is not hidden by a value that was read before it and cached after it`, async () => {
    const { readers, change } = await prepare();
    await redis.client.flushall();
    const { promise: goOn, resolve: letGoOn } = Promise.withResolvers<void>();
    let arrived = 0;
    const arrive = () => {
      arrived += 1;
    };
    const reading = readers.map((reader) => held.run({ arrive, goOn }, () => repo.list(reader)));
    await eventually(() => arrived === readers.length);
    await change();
    letGoOn();
    await Promise.all(reading);
    await assertTrue(readers);
  });
}
