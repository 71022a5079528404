import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GetMessagesRequest } from '../../../../lib/gen/im_repo/v1/message.ts';
import { createMetrics } from '../../../../lib/metrics.ts';
import { toConversationPage } from '../../../../lib/wire/conversation.ts';
import { toMessagePage } from '../../../../lib/wire/message.ts';
import { createCache } from '../../../../services/repo/cache/cache.ts';
import { createUserCards } from '../../../../services/repo/rows/user-cards.ts';
import { createRedis } from '../../../../services/repo/storage/redis.ts';
import { createUserProfiles } from '../../../../services/repo/users/user-profiles.ts';
import { atEnd } from '../../../support/at-end.ts';
import { eventually } from '../../../support/eventually.ts';
import { refusedWith } from '../../../support/refused-with.ts';
import { type ConversationParts, createConversationParts } from '../../../support/repo/conversation-parts.ts';
import { openConversationRepo } from '../../../support/repo/open-repo.ts';

const { redis, repo } = await openConversationRepo();
const other = await openOther();

/** Another process of repo, over the same database and the same Redis. */
async function openOther(): Promise<ConversationParts> {
  const metrics = createMetrics('test');
  const store = createRedis({ url: redis.url, log: repo.log, metrics });
  atEnd(store.close);
  const cache = createCache({ redis: store, metrics });
  const userCards = createUserCards({ cache, databases: repo.databases, links: repo.links });
  await eventually(() => store.isUp());
  return createConversationParts({ ...repo, metrics, redis: store, cache, userCards });
}

type Pair = [string, string];
const people = async () => [await repo.newGuest(), await repo.newGuest()] as Pair;
type Bounds = Pick<GetMessagesRequest, 'beforeSeqId' | 'afterSeqId'> & { limit?: number };

/** Asks both processes whether the caller's page has changed; they must agree. */
async function unchanged(
  ask: (from: ConversationParts, knownTag?: string) => Promise<{ tag: string; unchanged: boolean }>,
): Promise<() => Promise<boolean>> {
  let { tag } = await ask(repo);
  await ask(other);
  return async () => {
    const answers = [await ask(repo, tag), await ask(other, tag)];
    const [here, there] = answers;
    assert.deepEqual([here?.tag, here?.unchanged], [there?.tag, there?.unchanged]);
    assert.equal(here?.unchanged, here?.tag === tag);
    tag = here?.tag ?? '';
    return here?.unchanged ?? false;
  };
}

const history = (conversationId: string, userId: string, bounds: Bounds = {}) =>
  unchanged((from, knownTag) =>
    from.messages.getMessages({ conversationId, userId, limit: 50, ...bounds, knownTag }),
  );
const seqIds = async (conversationId: string, userId: string, bounds: Bounds = {}) => {
  const request = { conversationId, userId, limit: 50, ...bounds };
  const { messages, hasMore } = await other.messages.getMessages(request);
  return [messages.map(({ seqId }) => seqId), hasMore];
};

test('the list is the same until something in it changes, whichever process changes it', async () => {
  const [ann, bob] = await people();
  const group = await repo.newGroup([ann, bob]);
  const same = await unchanged((from, knownTag) => from.list(ann, { knownTag }));
  assert.equal(await same(), true);
  const changes: (() => Promise<unknown>)[] = [
    () => other.say(group, bob, 'hello'),
    () => repo.conversations.updateReadPointer({ userId: ann, conversationId: group, seqId: 1 }),
    () => createUserProfiles(other).updateUser({ userId: bob, displayName: 'Robert' }),
    () => other.conversations.updateConversation({ actorId: ann, conversationId: group, name: 'Renamed' }),
    () => repo.newGroup([bob, ann]),
    () => other.conversations.dissolveConversation({ actorId: ann, conversationId: group }),
  ];
  for (const [index, change] of changes.entries()) {
    await change();
    assert.equal(await same(), false, `change ${index}`);
    assert.equal(await same(), true, `after change ${index}`);
  }
});

test('changes of other conversations leave the list unchanged', async () => {
  const [ann, bob] = await people();
  const own = await repo.newGroup([ann, bob]);
  await repo.say(own, bob);
  const foreign = await repo.newGroup([bob]);
  const same = await unchanged((from, knownTag) => from.list(ann, { knownTag }));
  await other.say(foreign, bob);
  await repo.conversations.updateReadPointer({ userId: bob, conversationId: foreign, seqId: 1 });
  assert.equal(await same(), true);
});

test('the newest page changes with messages, recalls and names', async () => {
  const [ann, bob] = await people();
  const group = await repo.newGroup([ann, bob]);
  const first = await repo.say(group, bob, 'first');
  const same = await history(group, ann);
  assert.equal(await same(), true);
  const changes: (() => Promise<unknown>)[] = [
    () => other.say(group, ann, 'second'),
    () => repo.recall(group, bob, first),
    () => createUserProfiles(other).updateUser({ userId: bob, displayName: 'Robert' }),
  ];
  for (const [index, change] of changes.entries()) {
    await change();
    assert.equal(await same(), false, `change ${index}`);
    assert.equal(await same(), true, `after change ${index}`);
  }
});

test('a page that others follow changes with its recalls, not with new messages', async () => {
  const [ann, bob] = await people();
  const group = await repo.newGroup([ann, bob]);
  const ids: number[] = [];
  for (let n = 0; n < 6; n += 1) ids.push(await repo.say(group, bob, `message ${n}`));
  const pages = [
    await history(group, ann, { beforeSeqId: 4 }),
    await history(group, ann, { afterSeqId: 0, limit: 3 }),
    await history(group, ann, { beforeSeqId: 4, afterSeqId: 1 }),
  ];
  await other.say(group, ann, 'later');
  for (const same of pages) assert.equal(await same(), true);
  await other.recall(group, bob, ids[2] ?? 0);
  for (const same of pages) assert.equal(await same(), false);
});

test('a page that ends at the head changes with the next message', async () => {
  const [ann, bob] = await people();
  const group = await repo.newGroup([ann, bob]);
  for (let n = 0; n < 3; n += 1) await repo.say(group, bob);
  const all: Bounds[] = [
    { afterSeqId: 0, limit: 3 },
    { afterSeqId: 0 },
    { beforeSeqId: 9 },
    { beforeSeqId: 4 },
  ];
  const expected = async (last: number) => {
    const upTo = Array.from({ length: last }, (_, index) => index + 1);
    assert.deepEqual(await seqIds(group, ann, all[0]), [[1, 2, 3], last > 3]);
    assert.deepEqual(await seqIds(group, ann, all[1]), [upTo, false]);
    assert.deepEqual(await seqIds(group, ann, all[2]), [upTo, false]);
    assert.deepEqual(await seqIds(group, ann, all[3]), [[1, 2, 3], false]);
  };
  await expected(3);
  await repo.say(group, ann);
  await expected(4);
  await other.say(group, ann);
  await expected(5);
});

test('a page as JSON equals the page as fields, and has the same tag', async () => {
  const [ann, bob] = await people();
  await repo.befriend(ann, bob);
  const single = (await repo.openSingle(ann, bob)).conversation?.conversation?.id ?? '';
  const group = await repo.newGroup([ann, bob]);
  for (const id of [single, group]) {
    const first = await repo.say(id, bob, 'a "quoted" text\u2028 of \ud83d\ude00');
    await repo.say(id, ann);
    await repo.recall(id, bob, first);
  }
  const history = { conversationId: group, userId: ann, limit: 1 };
  const asked = { asJson: true };
  const pages = [
    {
      ask: (more: object) => repo.list(ann, { limit: 2, ...more }),
      body: toConversationPage,
      empty: { conversations: [], hasMore: false },
    },
    {
      ask: (more: object) => repo.messages.getMessages({ ...history, ...more }),
      body: toMessagePage,
      empty: { messages: [], hasMore: false },
    },
  ];
  for (const { ask, body, empty } of pages) {
    const fields = await ask({});
    const { json, tag, unchanged, ...rest } = await ask(asked);
    assert.equal(json?.toString(), JSON.stringify(body(fields as never)));
    assert.deepEqual([unchanged, JSON.parse(JSON.stringify(rest))], [false, empty]);
    const again = await ask({ ...asked, knownTag: tag });
    assert.deepEqual([again.unchanged, again.tag, again.json], [true, tag, undefined]);
  }
});

test('a page whose JSON would be too long is sent as fields', async () => {
  const [ann, bob] = await people();
  const group = await repo.newGroup([ann, bob]);
  // Each of these is one byte here and six in JSON.
  const content = '\u0001'.repeat(4000);
  for (let n = 0; n < 100; n += 1) await repo.say(group, bob, content);
  const request = { conversationId: group, userId: ann, limit: 200, asJson: true };
  const { json, messages, tag } = await repo.messages.getMessages(request);
  assert.deepEqual([json, messages.length, messages[0]?.content === content], [undefined, 100, true]);
  assert.equal((await other.messages.getMessages({ ...request, knownTag: tag })).unchanged, true);
});

test('a removed member is refused at once, also with a cached page', async () => {
  const [ann, bob] = await people();
  const group = await repo.newGroup([ann, bob]);
  await repo.say(group, ann);
  const request = { conversationId: group, userId: bob, limit: 50 };
  const { tag } = await other.messages.getMessages(request);
  await repo.conversations.removeConversationMember({ actorId: ann, conversationId: group, userIds: [bob] });
  for (const from of [repo, other]) {
    await refusedWith(from.messages.getMessages({ ...request, knownTag: tag }), 'NOT_CONVERSATION_MEMBER');
  }
  await repo.conversations.dissolveConversation({ actorId: ann, conversationId: group });
  const owner = { ...request, userId: ann, knownTag: tag };
  await refusedWith(other.messages.getMessages(owner), 'CONVERSATION_NOT_FOUND');
});
