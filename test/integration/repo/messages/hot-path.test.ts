import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeFromNumber } from '../../../../lib/errors.ts';
import type { Sql, Transaction } from '../../../../services/repo/storage/database.ts';
import { eventually } from '../../../support/eventually.ts';
import { openConversationRepo } from '../../../support/repo/open-repo.ts';

const { redis, repo } = await openConversationRepo();

const gateway = { gatewayId: 'gateway', bootId: 'boot', pushAddress: 'nowhere:1' };
const online = async (userIds: readonly string[]) => {
  const at = Date.now();
  await repo.presence.renewGateway({ gateway, synced: true });
  await repo.presence.updateSessions({
    gatewayId: gateway.gatewayId,
    bootId: gateway.bootId,
    connected: userIds.map((userId) => ({
      userId,
      sessionId: `of-${userId}`,
      connectedAt: at,
      lastActiveAt: at,
    })),
    heartbeats: [],
    disconnected: [],
  });
  await repo.presence.renewGateway({ gateway, synced: true });
};

/** Every round trip to the database while `work` runs: by its kind, transactions in brackets. */
async function tripsOf(work: () => Promise<unknown>): Promise<string[]> {
  const trips: string[] = [];
  const database = repo.databases.users;
  const original = { ...database };
  const counting = <S extends Sql>(sql: S, where: string): S => {
    const counted = { ...sql };
    for (const kind of ['query', 'execute', 'batch', 'batchAndCommit'] as const) {
      const call = (sql as unknown as Transaction)[kind] as ((...args: unknown[]) => unknown) | undefined;
      if (!call) continue;
      Object.assign(counted, {
        [kind]: (...args: unknown[]) => {
          // Ids are reserved, and reactions that wait are looked for, every second, beside all work.
          if (!/id_workers|untold_reactions/.test(String(args[0]))) trips.push(`${where}${kind}`);
          return call(...args);
        },
      });
    }
    return counted;
  };
  Object.assign(database, counting(original, ''), {
    transaction: <T>(run: (tx: Transaction) => Promise<T>) =>
      original.transaction((tx) => run(counting(tx, 'tx.'))),
  });
  try {
    await work();
  } finally {
    Object.assign(database, original);
  }
  return trips;
}

test('a batch of any size, of many conversations, is stored in two round trips', async () => {
  const users = await repo.newUsers(6);
  const ids = await Promise.all(Array.from({ length: 20 }, () => repo.newConversation(users)));
  const batch = (count: number) =>
    Array.from({ length: count }, (_, n) =>
      repo.newMessage(ids[n % ids.length] ?? '', users[n % users.length] ?? ''),
    );
  // From here on, the members and the senders' cards are cached.
  await repo.save(...batch(60));
  for (const count of [1, 20, 800]) {
    const messages = batch(count);
    const trips = await tripsOf(() => repo.messages.saveMessages({ messages, recipientsOf: [] }));
    assert.deepEqual(trips, ['tx.batch', 'tx.batchAndCommit'], `for ${count} messages`);
  }
});

test('the cache cost of a message does not grow with the number of members', async () => {
  const users = await repo.newUsers(400);
  await online(users);
  const [small, large] = [await repo.newConversation(users.slice(0, 4)), await repo.newConversation(users)];
  const sender = users[0] ?? '';
  const commandsOf = async (conversationId: string) => {
    await repo.say(conversationId, sender);
    await redis.client.config('RESETSTAT');
    await repo.say(conversationId, sender);
    const stats = await redis.client.info('commandstats');
    return [...stats.matchAll(/^cmdstat_(\w+):calls=(\d+)/gm)]
      .map(([, command, calls]) => `${command} ${calls}`)
      .filter((line) => !/^(info|config|ping) /.test(line))
      .toSorted();
  };
  assert.deepEqual(await commandsOf(large), await commandsOf(small));
});

/** Transactions that had to be run again while `work` runs: they met a deadlock, or waited too long for a lock. */
async function repeatsDuring(work: () => Promise<unknown>): Promise<number> {
  const database = repo.databases.users;
  const { transaction } = database;
  let repeats = 0;
  database.transaction = (run) => {
    let runs = 0;
    return transaction((tx) => {
      runs += 1;
      if (runs > 1) repeats += 1;
      return run(tx);
    });
  };
  try {
    await work();
  } finally {
    database.transaction = transaction;
  }
  return repeats;
}

/** Deadlocks that the server has resolved by now; undefined where it does not say. */
async function deadlocks(): Promise<number | undefined> {
  const [row] = await repo.databases.users.query<{ Value: string }>(
    "SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'",
  );
  return row && Number(row.Value);
}

test('concurrent writers of all kinds on the same conversations never deadlock for good, and no write is lost', async () => {
  const users = await repo.newUsers(8);
  const guests = await repo.newUsers(80);
  const [owner = ''] = users;
  const ids = await Promise.all(Array.from({ length: 6 }, () => repo.newGroup(users)));
  await repo.save(...ids.flatMap((id) => users.map((user) => repo.newMessage(id, user))));
  const before = await deadlocks();

  const turned = <T>(items: readonly T[], by: number): T[] => [
    ...items.slice(by % items.length),
    ...items.slice(0, by % items.length),
  ];
  const at = <T>(items: readonly T[], index: number) => items[index % items.length] as T;
  let stored = 0;
  const jobs: ((n: number) => Promise<unknown>)[] = [
    async (n) => {
      // Some name the conversations forwards, some backwards.
      const order = n % 2 === 0 ? turned(ids, n) : turned(ids, n).toReversed();
      const results = await repo.save(...order.map((id, k) => repo.newMessage(id, at(users, n + k))));
      assert.deepEqual(results.map(({ error }) => codeFromNumber(error)).filter(Boolean), []);
      stored += results.length;
    },
    async (n) => {
      const userIds = [at(guests, Math.floor(n / jobs.length))];
      const about = { actorId: owner, conversationId: at(ids, n), userIds };
      await repo.conversations.addConversationMember(about);
      await repo.conversations.removeConversationMember(about);
    },
    (n) =>
      repo.conversations.batchUpdateReadPointers({
        updates: turned(ids, n).flatMap((conversationId) =>
          turned(users, n).map((userId) => ({ userId, conversationId, seqId: 8, sessionId: '' })),
        ),
      }),
    (n) =>
      repo.conversations.updateConversation({
        actorId: owner,
        conversationId: at(ids, n),
        name: `name ${n}`,
      }),
    (n) =>
      repo.conversations.updateConversationMember({
        actorId: owner,
        conversationId: at(ids, n),
        userId: users[1] ?? '',
        role: 1 + (n % 2),
      }),
    (n) =>
      repo.conversations.updateMemberChoices({
        userId: users[1] ?? '',
        conversationId: at(ids, n),
        pinned: n % 2 === 0,
        hidden: n % 3 === 0,
      }),
  ];
  // Twice as many at once as there are connections: the others don't wait so long for one that they give up.
  const numbers = Array.from({ length: 400 }, (_, n) => n).values();
  const repeats = await repeatsDuring(() =>
    Promise.all(
      Array.from({ length: 32 }, async () => {
        for (const n of numbers) await at(jobs, n)(n);
      }),
    ),
  );

  const rows = await repo.databases.users.query<Record<string, number>>(
    `SELECT h.last_seq_id AS head, c.member_count AS count,
       (SELECT COUNT(*) FROM messages m WHERE m.conversation_id = c.id) AS messages,
       (SELECT MAX(seq_id) FROM messages m WHERE m.conversation_id = c.id) AS newest,
       (SELECT COUNT(*) FROM conversation_members m WHERE m.conversation_id = c.id) AS members
     FROM conversations c JOIN conversation_heads h ON h.conversation_id = c.id WHERE c.id IN (?)`,
    [ids.map(Number)],
  );
  for (const { head, count, messages, newest, members } of rows) {
    assert.deepEqual([messages, newest, members], [head, head, count]);
    assert.equal(count, users.length);
  }
  assert.equal(
    rows.reduce((sum, { messages = 0 }) => sum + messages, 0),
    ids.length * users.length + stored,
  );
  // Locks are taken in one order everywhere, so the server never has to choose a victim.
  assert.equal(await deadlocks(), before);
  assert.equal(repeats, 0);
});

test('a cached list of fifty conversations takes at most three round trips to Redis', async () => {
  const [me = '', other = ''] = await repo.newUsers(2);
  for (let n = 0; n < 50; n += 1) await repo.say(await repo.newConversation([me, other]), other);
  // Marks of the changes above keep some of it out of the caches for a while.
  await redis.client.flushall();
  const cold = await repo.list(me);
  assert.equal(cold.conversations.length, 50);
  await eventually(async () => (await redis.client.exists(`user:conversations:full:${me}`)) === 1);
  const { run } = repo.redis;
  let trips = 0;
  let underWay = 0;
  repo.redis.run = async (...args) => {
    // Concurrent calls are sent together.
    if (underWay === 0) trips += 1;
    underWay += 1;
    return run(...args).finally(() => {
      underWay -= 1;
    });
  };
  try {
    assert.deepEqual(await repo.list(me), cold);
    assert.ok(trips >= 1 && trips <= 3, `${trips} round trips`);
    trips = 0;
    // While nothing changes, it only has to be asked whether anything did.
    assert.deepEqual(await repo.list(me), cold);
    assert.equal(trips, 1);
  } finally {
    repo.redis.run = run;
  }
});
