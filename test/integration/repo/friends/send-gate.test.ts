import assert from 'node:assert/strict';
import { test } from 'node:test';
import { friendRequestStatus, sendState } from '../../../../lib/domain/enumerations.ts';
import { createMetrics } from '../../../../lib/metrics.ts';
import { pairOf, readPair, sendStateOf } from '../../../../services/repo/friends/friendship-pair.ts';
import { createPairSettling, pairProjection } from '../../../../services/repo/friends/pair-changes.ts';
import { closeGate, writeGate } from '../../../../services/repo/friends/send-gate.ts';
import {
  noteProjection,
  pendingProjection,
  startProjectionWorker,
} from '../../../../services/repo/projections/projections.ts';
import type { Database } from '../../../../services/repo/storage/database.ts';
import type { Databases } from '../../../../services/repo/storage/databases.ts';
import { atEnd } from '../../../support/at-end.ts';
import { eventually } from '../../../support/eventually.ts';
import { createConversationParts } from '../../../support/repo/conversation-parts.ts';
import { openRepoParts } from '../../../support/repo/open-repo.ts';
import { createUserParts } from '../../../support/repo/user-parts.ts';

const { parts } = await openRepoParts();
const { databases } = parts;
const repo = createConversationParts(parts);
const people = createUserParts(parts);

const worker = startProjectionWorker({
  databases: [databases.users],
  writers: { [pairProjection]: createPairSettling({ databases }) },
  log: parts.log,
  metrics: createMetrics('test'),
});
atEnd(worker.stop);

type Place = { ann: string; bob: string; id: string };

async function accept(requesterId: string, targetId: string, by = people): Promise<void> {
  const asked = await by.createFriendRequest({ requesterId, targetId, message: '', ttlMs: 60_000 });
  await by.updateFriendRequest({
    requestId: asked.request?.id ?? '',
    actorId: targetId,
    status: friendRequestStatus.accepted,
  });
}

/** Two friends and their conversation. */
async function friends(): Promise<Place> {
  const [ann, bob] = [await repo.newGuest(), await repo.newGuest()];
  await accept(ann, bob);
  const { conversationId: id } = await repo.openSingle(ann, bob);
  return { ann, bob, id };
}

async function gateOf(id: string): Promise<{ state: number; version: number }> {
  const [row] = await databases.conversations.query<{ state: number; version: number }>(
    `SELECT c.send_state AS state, h.send_state_version AS version
     FROM conversations c JOIN conversation_heads h ON h.conversation_id = c.id WHERE c.id = ?`,
    [Number(id)],
  );
  assert.ok(row);
  return row;
}

const stateOf = async (id: string): Promise<number> => (await gateOf(id)).state;

async function standingOf({ ann, bob }: Place) {
  const pair = await readPair(databases.users, pairOf(ann, bob));
  return { version: pair.version, state: sendStateOf(pair.standing) };
}

/** Holds the rows that the statement locks, until `release`. */
async function holding(statement: string): Promise<{ release(): Promise<void> }> {
  const [held, done] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const holder = databases.users.transaction(async (tx) => {
    await tx.query(statement);
    held.resolve();
    await done.promise;
  });
  await held.promise;
  return {
    release: () => {
      done.resolve();
      return holder;
    },
  };
}

/** What a process that died left behind is taken over at once. */
async function takeOver(): Promise<void> {
  await databases.users.execute('UPDATE pending_projections SET due_at = 0');
  await worker.writeDue();
}

const pendingCount = async (): Promise<number> =>
  (await databases.users.query(`SELECT 1 FROM pending_projections WHERE kind = '${pairProjection}'`)).length;

test('a block closes the conversation before anybody can see the block', async () => {
  const place = await friends();
  const held = await holding(`SELECT id FROM users WHERE id = ${place.ann} FOR UPDATE`);
  const blocking = people.blockUser({ userId: place.ann, blockedId: place.bob });
  await eventually(async () => (await stateOf(place.id)) === sendState.blocked);
  assert.deepEqual((await people.listBlocks({ userId: place.ann, limit: 10, offset: 0 })).users, []);
  await assert.rejects(repo.say(place.id, place.bob), /blocked/);
  await held.release();
  await blocking;
  assert.deepEqual(await gateOf(place.id), await standingOf(place));
  assert.equal(await stateOf(place.id), sendState.blocked);
  assert.equal(await pendingCount(), 0);
});

test('the end of a friendship closes the conversation before anybody can see the end', async () => {
  const place = await friends();
  const held = await holding(`SELECT id FROM users WHERE id = ${place.ann} FOR UPDATE`);
  const deleting = people.deleteFriend({ userId: place.ann, friendId: place.bob });
  await eventually(async () => (await stateOf(place.id)) === sendState.notFriends);
  assert.equal((await standingOf(place)).state, sendState.open);
  await held.release();
  await deleting;
  assert.deepEqual(await gateOf(place.id), await standingOf(place));
});

test('whoever becomes a friend again may send only after the friendship is there', async () => {
  const place = await friends();
  await people.deleteFriend({ userId: place.ann, friendId: place.bob });
  const held = await holding(
    `SELECT 1 FROM conversation_heads WHERE conversation_id = ${place.id} FOR UPDATE`,
  );
  const accepting = accept(place.bob, place.ann);
  await eventually(async () => (await standingOf(place)).state === sendState.open);
  assert.equal(await stateOf(place.id), sendState.notFriends);
  await held.release();
  await accepting;
  assert.deepEqual(await gateOf(place.id), { ...(await standingOf(place)), state: sendState.open });
});

test('an older version of the pair opens nothing that a newer one closed', async () => {
  const place = await friends();
  const { version } = await gateOf(place.id);
  const gate = { conversationId: Number(place.id), state: sendState.open, version };
  await people.blockUser({ userId: place.bob, blockedId: place.ann });
  await writeGate(databases.conversations, gate);
  assert.equal(await stateOf(place.id), sendState.blocked);
});

test('what closed a conversation and died before its commit is opened again', async () => {
  const place = await friends();
  const { version } = await standingOf(place);
  const pending = pendingProjection(pairProjection, pairOf(place.ann, place.bob).key);
  const gate = { conversationId: Number(place.id), state: sendState.blocked, version: version + 1 };
  await closeGate(databases.conversations, gate, [noteProjection(pending)]);
  assert.equal(await stateOf(place.id), sendState.blocked);
  await takeOver();
  assert.deepEqual(await gateOf(place.id), { version: version + 1, state: sendState.open });
  assert.equal(await pendingCount(), 0);
  await repo.say(place.id, place.ann);
});

test('what fails after it closed a conversation opens it again', async () => {
  const place = await friends();
  const broken: Database = { ...databases.users, transaction: () => Promise.reject(new Error('broken')) };
  const failing = createUserParts({
    ...parts,
    databases: { ...databases, users: broken, messagesOf: databases.messagesOf },
  });
  await assert.rejects(failing.blockUser({ userId: place.ann, blockedId: place.bob }), /broken/);
  assert.deepEqual(await gateOf(place.id), { ...(await standingOf(place)), state: sendState.open });
});

test('a change that is taken over while it runs begins again, and holds in the end', async () => {
  const place = await friends();
  const held = await holding(`SELECT id FROM users WHERE id = ${place.ann} FOR UPDATE`);
  const blocking = people.blockUser({ userId: place.ann, blockedId: place.bob });
  await eventually(async () => (await stateOf(place.id)) === sendState.blocked);
  await takeOver();
  assert.equal(await stateOf(place.id), sendState.open);
  await held.release();
  await blocking;
  assert.deepEqual(await gateOf(place.id), await standingOf(place));
  assert.equal(await stateOf(place.id), sendState.blocked);
});

test('what was committed by a process that then died, or could not reach the conversation, opens it', async () => {
  const place = await friends();
  await people.blockUser({ userId: place.ann, blockedId: place.bob });
  const away = {
    ...databases.conversations,
    transaction: () => Promise.reject(new Error('away')),
  };
  const cutOff = createUserParts({ ...parts, databases: { ...databases, messagesOf: () => away } });
  await cutOff.unblockUser({ userId: place.ann, blockedId: place.bob });
  await accept(place.bob, place.ann, cutOff);
  assert.equal(await stateOf(place.id), sendState.blocked);
  await takeOver();
  assert.deepEqual(await gateOf(place.id), { ...(await standingOf(place)), state: sendState.open });
  assert.equal(await pendingCount(), 0);
});

test('a conversation that is created while one of the two blocks the other is closed from its first moment', async () => {
  const [ann, bob] = [await repo.newGuest(), await repo.newGuest()];
  await accept(ann, bob);
  let isBlocked = false;
  const late: Databases = {
    ...databases,
    messagesOf: (id) => {
      const database = databases.messagesOf(id);
      return {
        ...database,
        async transaction(work) {
          if (!isBlocked) {
            isBlocked = true;
            await people.blockUser({ userId: bob, blockedId: ann });
          }
          return database.transaction(work);
        },
      };
    },
  };
  const creating = createConversationParts({ ...parts, databases: late, metrics: createMetrics('test') });
  const { conversationId, created } = await creating.openSingle(ann, bob);
  assert.ok(isBlocked && created);
  assert.equal(await stateOf(conversationId), sendState.blocked);
  await assert.rejects(repo.say(conversationId, ann), /blocked/);
});

test('however many change a pair at once, its conversation says in the end what the pair says', async () => {
  const place = await friends();
  const { ann, bob } = place;
  const changes = [
    () => people.blockUser({ userId: ann, blockedId: bob }),
    () => people.unblockUser({ userId: ann, blockedId: bob }),
    () => people.blockUser({ userId: bob, blockedId: ann }),
    () => people.unblockUser({ userId: bob, blockedId: ann }),
    () => people.deleteFriend({ userId: ann, friendId: bob }),
    () => accept(ann, bob),
    () => repo.openSingle(ann, bob),
  ];
  for (let round = 0; round < 8; round += 1) {
    // Refusals such as BLOCKED are part of it.
    await Promise.allSettled(changes.map((change) => change()));
    const { state } = await standingOf(place);
    assert.equal(await stateOf(place.id), state, `round ${round}`);
    assert.equal(await pendingCount(), 0);
  }
});
