// Room: a believable world for looking around in: people, friendships, groups and months of conversations. It uses a running
// system from outside, and nothing that runs in production may import it.

import pLimit from 'p-limit';
import { connectRepo } from '../lib/grpc/clients.ts';
import { readGrpcToken } from '../lib/grpc/token.ts';
import { type Call, type Caller, createPatientCall } from './planting/calls.ts';
import { appoint, befriend, gather } from './planting/conversations.ts';
import { createHistories } from './planting/history.ts';
import { signIn } from './planting/sign-in.ts';
import type { Person } from './world/people.ts';
import { byQuiet, createWorld, type History, shownPeople, type World } from './world/world.ts';

export interface Ground {
  /** The address of a gateway. */
  gateway: string;
  /** The gRPC address of im-repo, and the file of the token that it demands. */
  repo: string;
  tokenFile: string;
}

/** So many conversations are filled at the same time. */
const parallel = 6;
const worldRoomType = 3;

/** Fills a running system with the world of a seed. Returns some people to sign in as. */
export async function plant(
  ground: Ground,
  { users, seed }: { users: number; seed: number },
): Promise<Pick<Person, 'username' | 'password'>[]> {
  const world = createWorld({ users, seed });
  const call = createPatientCall(ground.gateway);
  const [first] = world.people;
  if (first && !(await isWhole(call, world, first))) await plantAll(ground, call, world);
  return world.people.slice(0, shownPeople);
}

/** The greeting in the largest group comes last of all. */
const greeting = 'Good morning, everyone ☀️';

async function isWhole(call: Call, { groups }: World, first: Person): Promise<boolean> {
  const caller = await signIn(call, first);
  if (caller.isNew) return false;
  const { conversations } = await caller.api('GET /conversations', { query: { limit: 200 } });
  const largest = largestOf(groups);
  return conversations.some(
    ({ name, lastSeqId }) => name === largest.name && lastSeqId > largest.messages.length,
  );
}

const largestOf = <T extends History>(groups: readonly T[]): T =>
  groups.reduce((a, b) => (b.messages.length > a.messages.length ? b : a));

async function plantAll({ repo: address, tokenFile }: Ground, call: Call, world: World): Promise<void> {
  const limit = pLimit(parallel);
  const callers = await limit.map(world.people, (person) => signIn(call, person));
  const callerAt = (index: number): Caller => {
    const caller = callers[index];
    if (!caller) throw new Error(`there is no person ${index}`);
    return caller;
  };
  const repo = connectRepo(address, readGrpcToken(tokenFile));
  try {
    const fill = createHistories({ repo, callerAt, source: `demo ${world.seed}`, now: Date.now() });
    await fillWorldRoom(callerAt(0), world, fill);
    await limit.map(conversationsOf(world, callerAt), async ({ make, history, owner, finish }) => {
      const id = await make();
      await fill(id, history, owner);
      await finish(id);
    });
  } finally {
    repo.close();
  }
  for (const { from, to, text } of world.requests) {
    const body = { targetUserId: callerAt(to).id, message: text };
    await callerAt(from).api('POST /friends/requests', { body, idempotencyKey: `demo-${world.seed}-${to}` });
  }
  await greet(world, callerAt);
}

type Fill = ReturnType<typeof createHistories>;
type CallerAt = (index: number) => Caller;

interface Making {
  make(): Promise<string>;
  history: History;
  owner: number;
  finish(id: string): Promise<void>;
}

/** The quietest first: lists show the last ones that changed on top. */
function conversationsOf({ seed, chats, groups }: World, callerAt: CallerAt): Making[] {
  const ofChats = chats.map((chat): Making => {
    const [a, b] = chat.pair;
    return {
      history: chat,
      owner: a,
      make: () => befriend(callerAt(a), callerAt(b)),
      finish: async () => {},
    };
  });
  const ofGroups = groups.map(
    (group, index): Making => ({
      history: group,
      owner: group.owner,
      make: () => gather(group, `demo-${seed}-${index}`, callerAt),
      finish: (id) => appoint(group, id, callerAt),
    }),
  );
  return [...ofChats, ...ofGroups].sort((a, b) => byQuiet(a.history, b.history));
}

async function fillWorldRoom(caller: Caller, { worldRoom }: World, fill: Fill): Promise<void> {
  const { conversations } = await caller.api('GET /conversations', { query: { limit: 200 } });
  const room = conversations.find(({ type }) => type === worldRoomType);
  // A room in which people talk already has no place for a past.
  if (room && room.lastSeqId === 0) await fill(room.id, worldRoom);
}

async function greet({ groups, seed }: World, callerAt: CallerAt): Promise<void> {
  const { name, owner } = largestOf(groups);
  const caller = callerAt(owner);
  const { conversations } = await caller.api('GET /conversations', { query: { limit: 200 } });
  const group = conversations.find((one) => one.name === name && one.ownerId === caller.id);
  if (!group) return;
  const { message } = await caller.api('POST /conversations/{id}/messages', {
    path: { id: group.id },
    body: { clientMsgId: `demo-${seed}`, content: 'Good morning' },
  });
  await caller.api('PATCH /conversations/{id}/messages/{messageId}', {
    path: { id: group.id, messageId: String(message.id) },
    body: { content: greeting },
  });
}
