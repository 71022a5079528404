import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  conversationType,
  friendRequestStatus,
  messageType,
  sendState,
} from '../../lib/domain/enumerations.ts';
import { pairOf, readPair, sendStateOf } from '../../services/repo/friends/friendship-pair.ts';
import { eventually } from '../support/eventually.ts';
import { mapConcurrently } from '../support/map-concurrently.ts';
import { createGuests } from '../support/people/guests.ts';
import { kill } from '../support/servers/outage.ts';
import { isRunning } from '../support/servers/services.ts';
import { openSystemParts } from '../support/system-parts.ts';

const pairs = 12;
const kills = 3;
/** Changes of all pairs between two kills. */
const changesPerKill = 150;

const parts = openSystemParts();
const { repo, databases } = parts;

type Place = { ann: string; bob: string; id: string };

async function accept({ ann, bob }: Pick<Place, 'ann' | 'bob'>): Promise<void> {
  const { request } = await repo.friendships.createFriendRequest({
    requesterId: ann,
    targetId: bob,
    message: '',
    ttlMs: 60_000,
  });
  await repo.friendships.updateFriendRequest({
    requestId: request?.id ?? '',
    actorId: bob,
    status: friendRequestStatus.accepted,
  });
}

async function open({ ann, bob }: Pick<Place, 'ann' | 'bob'>): Promise<string> {
  const { conversationId } = await repo.conversations.createConversation({
    conversationId: '',
    type: conversationType.single,
    name: '',
    avatarUrl: '',
    description: '',
    creatorId: ann,
    initialMemberIds: [bob],
    activate: true,
    maxMembers: 0,
    friendRequestId: '',
    idOnly: true,
  });
  return conversationId;
}

async function newPlaces(): Promise<Place[]> {
  const guests = await createGuests(repo, 2 * pairs);
  return mapConcurrently([...Array(pairs).keys()], async (index) => {
    const [ann = '', bob = ''] = guests.slice(2 * index);
    await accept({ ann, bob });
    return { ann, bob, id: await open({ ann, bob }) };
  });
}

const isStored = ({ bob, id }: Place, clientMsgId: string): Promise<boolean> =>
  repo.messages
    .saveMessage({
      message: {
        conversationId: id,
        senderId: bob,
        messageType: messageType.text,
        content: 'after the block',
        clientMsgId,
        mentions: [],
        sourcePartition: -1,
        sourceOffset: -1,
      },
    })
    .then(
      () => true,
      () => false,
    );

async function isBlocking({ ann, bob }: Place): Promise<boolean> {
  const { relationships } = await repo.friendships.getRelationships({ userId: ann, otherUserIds: [bob] });
  return relationships[0]?.blocking === true;
}

test('im-repo dies while pairs block, unblock and befriend each other: no block is late, and all agree in the end', {
  timeout: 240_000,
}, async () => {
  const places = await newPlaces();
  const late: string[] = [];
  let changes = 0;
  let isOver = false;

  /** One change of a pair after the other. What fails because im-repo is away is part of it. */
  async function change(place: Place): Promise<void> {
    for (let round = 0; !isOver; round += 1) {
      await repo.friendships.blockUser({ userId: place.ann, blockedId: place.bob }).catch(() => undefined);
      // Whether the call was answered or not: once the block can be seen, nothing more may be stored.
      const seen = await isBlocking(place).catch(() => false);
      if (seen && (await isStored(place, `${place.id}-${round}`))) late.push(place.id);
      await repo.friendships.unblockUser({ userId: place.ann, blockedId: place.bob }).catch(() => undefined);
      await accept(place).catch(() => undefined);
      changes += 1;
    }
  }

  const changing = Promise.all(places.map(change));
  for (let killed = 0; killed < kills; killed += 1) {
    const before = changes;
    await eventually(() => changes >= before + changesPerKill, 60_000);
    await kill(isRunning('core') ? 'core' : 'repo').recovered();
  }
  isOver = true;
  await changing;

  assert.deepEqual(late, []);
  await eventually(async () => (await differing(places)).length === 0, 30_000);
});

/** The pairs whose conversations do not say what the pair says. */
async function differing(places: readonly Place[]): Promise<unknown[]> {
  const found = await mapConcurrently(places, async ({ ann, bob, id }) => {
    const { version, standing } = await readPair(databases.users, pairOf(ann, bob));
    const [gate] = await databases.messagesOf(id).query<{ version: number; state: number }>(
      `SELECT h.send_state_version AS version, c.send_state AS state
       FROM conversation_heads h JOIN conversations c ON c.id = h.conversation_id WHERE c.id = ?`,
      [Number(id)],
    );
    const expected = { version, state: sendStateOf(standing) };
    const isSame = gate?.version === expected.version && gate.state === expected.state;
    return isSame ? undefined : { id, gate, expected, open: sendState.open };
  });
  return found.filter((one) => one !== undefined);
}
