import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReadPreference } from '../../../../lib/gen/im_repo/v1/read_preference.ts';
import { createLogger } from '../../../../lib/log.ts';
import { createMetrics } from '../../../../lib/metrics.ts';
import { createCache } from '../../../../services/repo/cache/cache.ts';
import { migrate } from '../../../../services/repo/migrate.ts';
import { createUserCards } from '../../../../services/repo/rows/user-cards.ts';
import {
  createDatabases,
  type DatabaseAddresses,
  oneDatabase,
} from '../../../../services/repo/storage/databases.ts';
import { createIds } from '../../../../services/repo/storage/ids.ts';
import { createUserSettingsReader } from '../../../../services/repo/users/user-settings.ts';
import { atEnd } from '../../../support/at-end.ts';
import { eventually } from '../../../support/eventually.ts';
import { createConversationParts } from '../../../support/repo/conversation-parts.ts';
import { openRepoParts } from '../../../support/repo/open-repo.ts';
import { follow, startPrivateMariadb } from '../../../support/servers/mariadb-server.ts';

const log = createLogger('test', process.env.TEST_LOG_LEVEL ?? 'fatal');
const binlog = (id: number, ...more: string[]) => [
  `--server-id=${id}`,
  '--log-bin=binlog',
  '--log-slave-updates',
  '--gtid-strict-mode=ON',
  ...more,
];
const [primary, replica, stranger] = await Promise.all([
  startPrivateMariadb(binlog(1)),
  startPrivateMariadb(binlog(2, '--read-only')),
  startPrivateMariadb(binlog(3)),
]);
await Promise.all([primary, stranger].map((server) => migrate({ url: server.url('gochat'), log })));
await follow(replica, primary);
const { parts: shared, redis } = await openRepoParts();

/** im-repo's parts on the primary with replicas, and a counter of reads. */
async function open(addresses: Partial<DatabaseAddresses> = {}) {
  const metrics = createMetrics('test');
  const databases = createDatabases({
    addresses: {
      ...oneDatabase(primary.url('gochat')),
      replicas: new Map([[primary.url('gochat'), [replica.url('gochat')]]]),
      ...addresses,
    },
    log,
    metrics,
  });
  atEnd(databases.close);
  const ids = await createIds({ database: databases.directory, log });
  atEnd(ids.stop);
  const cache = createCache({ redis: shared.redis, metrics });
  const repo = createConversationParts({
    ...shared,
    databases,
    metrics,
    cache,
    ids,
    userCards: createUserCards({ links: shared.links, cache, databases }),
    userSettings: createUserSettingsReader({ cache, databases }),
  });
  const reads = async (from: string): Promise<number> => {
    const text = await metrics.registry.metrics();
    return Number(
      new RegExp(`^gochat_replica_reads_total\\{from="${from}"\\} (\\d+)$`, 'm').exec(text)?.[1] ?? 0,
    );
  };
  return { databases, repo, reads };
}

const primaryOnly = { readPreference: ReadPreference.READ_PREFERENCE_PRIMARY };
let pages = 100;
/** A page of history that no process has read yet. */
async function history(
  repo: Awaited<ReturnType<typeof open>>['repo'],
  userId: string,
  conversationId: string,
  more = {},
) {
  pages += 1;
  const { messages } = await repo.messages.getMessages({
    userId,
    conversationId,
    limit: 200,
    beforeSeqId: 1_000_000 + pages,
    ...more,
  });
  return messages.map(({ content }) => content);
}

test('history and syncs are read from a replica, unless the caller wants the primary', async () => {
  const { repo, reads } = await open();
  const { users, id } = await repo.newConversationOf(2);
  await eventually(async () => {
    await repo.say(id, users[0], 'hello');
    const before = await reads('replica');
    assert.ok((await history(repo, users[1], id)).length > 0);
    return (await reads('replica')) > before;
  });
  const before = await reads('replica');
  await history(repo, users[1], id, primaryOnly);
  assert.equal(await reads('replica'), before);
  const { conversations } = await repo.sync(users[1]);
  assert.ok((conversations[0]?.messages.length ?? 0) > 0);
  assert.ok((await reads('replica')) > before);
});

test('a thousand messages are each read right after they were acknowledged, with a replica five seconds behind', async () => {
  const delayed = await startPrivateMariadb(binlog(4, '--read-only'));
  await follow(delayed, primary, 5);
  const { repo, reads } = await open({
    replicas: new Map([[primary.url('gochat'), [delayed.url('gochat')]]]),
    reads: { maxLagMs: 60_000, tokenWaitMs: 1 },
  });
  const { users, id } = await repo.newConversationOf(2);
  await eventually(async () => {
    await repo.say(id, users[0]);
    await history(repo, users[1], id);
    return (await reads('late')) > 0;
  }, 30_000);
  let stale = 0;
  for (let n = 1; n <= 1000; n += 1) {
    await repo.say(id, users[0], `message ${n}`);
    const read = await history(repo, users[1], id);
    if (read.at(-1) !== `message ${n}`) stale += 1;
  }
  assert.equal(stale, 0);
  assert.ok((await reads('late')) > 500, 'the replica was not even tried');
});

test('a replica that stops applying leaves within a second, and comes back by itself', async () => {
  const { repo, reads } = await open();
  const { users, id } = await repo.newConversationOf(2);
  const isRead = async (): Promise<boolean> => {
    await repo.say(id, users[0]);
    const before = await reads('replica');
    await history(repo, users[1], id);
    return (await reads('replica')) > before;
  };
  await eventually(isRead);
  await replica.execute('STOP SLAVE');
  const stoppedAt = performance.now();
  await repo.say(id, users[0]);
  const tried = async () => (await reads('replica')) + (await reads('late')) + (await reads('failed'));
  await eventually(async () => {
    const before = await tried();
    await history(repo, users[1], id);
    return (await tried()) === before;
  });
  assert.ok(performance.now() - stoppedAt < 3000, 'a second of lag, and a second until it is noticed');
  await replica.execute('START SLAVE');
  await eventually(isRead);

  await replica.kill();
  const killedAt = performance.now();
  await eventually(async () => {
    const before = await tried();
    assert.ok((await history(repo, users[1], id)).length > 0);
    return (await tried()) === before;
  });
  assert.ok(performance.now() - killedAt < 2000);
  await replica.restart();
  await eventually(isRead, 30_000);
});

test('a replica of another database is refused by its name', async () => {
  const { databases } = await open();
  await databases.checkReplicas();
  const strange = await open({
    ...oneDatabase(stranger.url('gochat')),
    replicas: new Map([[stranger.url('gochat'), []]]),
  });
  await strange.databases.checkReplicas();
  await stranger.execute("INSERT INTO gochat.replica_heartbeats VALUES (1, 'another', 1)");
  const wrong = createDatabases({
    addresses: {
      ...oneDatabase(primary.url('gochat')),
      replicas: new Map([[primary.url('gochat'), [stranger.url('gochat')]]]),
    },
    log,
  });
  atEnd(wrong.close);
  await assert.rejects(
    wrong.checkReplicas(),
    /configuration: a replica of directory has the data of another database/,
  );
});

test('that a promotion may lose acknowledged messages is said until the primary waits for replicas', async () => {
  const { databases } = await open();
  const [warning] = await databases.warnings();
  assert.match(warning ?? '', /^A promotion of a replica of directory can lose acknowledged messages/);
  await primary.execute(
    "SET GLOBAL rpl_semi_sync_master_wait_point = 'AFTER_SYNC', GLOBAL rpl_semi_sync_master_timeout = 4294967295",
  );
  await replica.execute('SET GLOBAL rpl_semi_sync_slave_enabled = ON');
  await replica.execute('STOP SLAVE');
  await replica.execute('START SLAVE');
  await primary.execute('SET GLOBAL rpl_semi_sync_master_enabled = ON');
  assert.deepEqual(await databases.warnings(), []);
  await primary.execute('SET GLOBAL rpl_semi_sync_master_enabled = OFF');
});

test('a promoted replica is read and written once the addresses say so, and tokens from before are not believed', async () => {
  const { repo, databases, reads } = await open();
  const { users, id } = await repo.newConversationOf(2);
  await repo.say(id, users[0], 'before');
  await eventually(
    async () => (await history(repo, users[1], id)).length === 1 && (await reads('replica')) > 0,
  );
  await primary.execute('SET GLOBAL read_only = ON');
  await primary.kill();
  await replica.execute('STOP SLAVE');
  await replica.execute('SET GLOBAL read_only = OFF');
  const other = await startPrivateMariadb(binlog(5, '--read-only'));
  await follow(other, replica);
  databases.move({
    ...oneDatabase(replica.url('gochat')),
    replicas: new Map([[replica.url('gochat'), [other.url('gochat')]]]),
  });
  assert.deepEqual(await history(repo, users[1], id), ['before']);
  await repo.say(id, users[0], 'after');
  assert.deepEqual(await history(repo, users[1], id), ['before', 'after']);
  await eventually(async () => {
    const before = await reads('replica');
    await repo.say(id, users[0], 'more');
    await history(repo, users[1], id);
    return (await reads('replica')) > before;
  });
  await redis.client.ping();
});
