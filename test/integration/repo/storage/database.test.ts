import assert from 'node:assert/strict';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { test } from 'node:test';
import { codeOf } from '../../../../lib/errors.ts';
import { createLogger } from '../../../../lib/log.ts';
import { isDuplicateKey, literal } from '../../../../services/repo/storage/database.ts';
import { createDatabases, oneDatabase } from '../../../../services/repo/storage/databases.ts';
import { eventually } from '../../../support/eventually.ts';
import { connectDatabases, openMigratedDatabase } from '../../../support/repo/database.ts';

const log = createLogger('test', 'silent');
const databaseUrl = await openMigratedDatabase();
const databases = connectDatabases(databaseUrl);
await databases.users.batch(
  "CREATE TABLE things (id BIGINT PRIMARY KEY, text VARCHAR(20) CHARACTER SET utf8mb4 NOT NULL); INSERT INTO things VALUES (1, 'a'), (2, 'b')",
);

const unavailable = (error: unknown) => codeOf(error) === 'UNAVAILABLE';

test('values are read as they were written, whatever they contain', async () => {
  const values = ["it's", '"?"', '\\', "\\'; DROP TABLE things; --", '\0', '😀', 'e\u0301', '%_?'];
  const [row] = await databases.users.query<Record<string, unknown>>(
    `SELECT ${values.map((_, n) => `? AS v${n}`).join()}, ? AS number, ? AS bytes, ? AS yes, ? AS nothing`,
    [...values, 9007199254740991, Buffer.from([0, 39, 92, 255]), true, null],
  );
  assert.deepEqual(Object.values(row ?? {}).slice(0, values.length), values);
  assert.equal(row?.number, 9007199254740991);
  assert.deepEqual(row?.bytes, Buffer.from([0, 39, 92, 255]));
  assert.deepEqual([row?.yes, row?.nothing], [1, null]);
});

test('a batch returns one result per statement, for one or many', async () => {
  assert.deepEqual(await databases.users.batch(`SELECT ${literal('?')} AS a`), [[{ a: '?' }]]);
  assert.deepEqual(await databases.users.batch('SELECT 1 AS a WHERE FALSE; SELECT 2 AS b; SELECT 3 AS c'), [
    [],
    [{ b: 2 }],
    [{ c: 3 }],
  ]);
  const [header] = await databases.users.batch("UPDATE things SET text = 'a' WHERE id = 1");
  assert.equal((header as { affectedRows: number }).affectedRows, 1);
});

test('a failed transaction leaves no changes, also if its last batch fails', async () => {
  await assert.rejects(
    databases.users.transaction(async (tx) => {
      await tx.execute("INSERT INTO things VALUES (3, 'c')");
      throw new Error('no');
    }),
    /no/,
  );
  await assert.rejects(
    databases.users.transaction((tx) =>
      tx.batchAndCommit("INSERT INTO things VALUES (4, 'd'); INSERT INTO things VALUES (1, 'again')"),
    ),
    (error) => isDuplicateKey(error, 'PRIMARY'),
  );
  assert.deepEqual(await databases.users.query('SELECT id FROM things WHERE id > 2'), []);
});

test('after a deadlock, the rolled-back transaction runs again', async () => {
  let runs = 0;
  const touch = (first: number, second: number) => {
    let meet: (() => void) | undefined;
    const met = new Promise<void>((resolve) => {
      meet = resolve;
    });
    return {
      met,
      run: (other: Promise<void>) =>
        databases.users.transaction(async (tx) => {
          runs++;
          await tx.execute('UPDATE things SET text = CONCAT(text, ?) WHERE id = ?', ['x', first]);
          meet?.();
          await other;
          await tx.execute('UPDATE things SET text = CONCAT(text, ?) WHERE id = ?', ['y', second]);
        }),
    };
  };
  const [one, two] = [touch(1, 2), touch(2, 1)];
  await Promise.all([one.run(two.met), two.run(one.met)]);
  assert.equal(runs, 3);
  const rows = await databases.users.query<{ text: string }>(
    'SELECT text FROM things WHERE id < 3 ORDER BY id',
  );
  assert.deepEqual(
    rows.map(({ text }) => [...text].sort().join('')),
    ['axy', 'bxy'],
  );
});

test('a transaction sees commits of others that happen during it', async () => {
  await databases.users.transaction(async (tx) => {
    await tx.query('SELECT * FROM things');
    await databases.users.execute("INSERT INTO things VALUES (10, 'new')");
    assert.deepEqual(await tx.query('SELECT text FROM things WHERE id = 10'), [{ text: 'new' }]);
  });
});

test("a value that is too long is the caller's error, and is not cut", async () => {
  await assert.rejects(
    databases.users.execute('INSERT INTO things VALUES (20, ?)', ['x'.repeat(21)]),
    (error) => codeOf(error) === 'INVALID_ARGUMENT',
  );
});

test('an error does not carry its statement into the log', async () => {
  await assert.rejects(
    databases.users.execute("INSERT INTO things VALUES (1, 'secret')"),
    (error: Error) => !JSON.stringify({ ...error }).includes('secret'),
  );
});

test('a server that is missing or stops during a call gives UNAVAILABLE, until it is back', async () => {
  const url = new URL(databaseUrl);
  const proxy = await openProxy(Number(url.port || 3306), url.hostname);
  url.hostname = '127.0.0.1';
  url.port = String(proxy.port);
  const through = createDatabases({ addresses: oneDatabase(url.href), log });
  assert.equal(await through.ready(), true);
  const slow = through.users.query('SELECT SLEEP(5)');
  const inTransaction = through.users.transaction(async (tx) => {
    await tx.execute("INSERT INTO things VALUES (30, 'lost')");
    await tx.query('SELECT SLEEP(5)');
  });
  const failed = Promise.all([assert.rejects(slow, unavailable), assert.rejects(inTransaction, unavailable)]);
  await eventually(async () => {
    const [row] = await databases.users.query<{ sleeping: number }>(
      "SELECT COUNT(*) AS sleeping FROM information_schema.processlist WHERE db = DATABASE() AND state = 'User sleep'",
    );
    return row?.sleeping === 2;
  });
  await proxy.cut();
  await failed;
  await assert.rejects(through.users.query('SELECT 1'), unavailable);
  await assert.rejects(through.ready(), unavailable);
  await proxy.mend();
  assert.deepEqual(await through.users.query('SELECT id FROM things WHERE id = 30'), []);
  await through.close();
  await proxy.cut();
});

test('waiting for a connection has a time limit, and a full queue refuses at once', async () => {
  const narrow = createDatabases({
    addresses: oneDatabase(databaseUrl),
    log,
    connectionLimit: 1,
    queueLimit: 1,
  });
  let free: (() => void) | undefined;
  const held = narrow.users.transaction(async (tx) => {
    await tx.query('SELECT 1');
    await new Promise<void>((resolve) => {
      free = resolve;
    });
  });
  const started = Date.now();
  const waiting = narrow.users.query('SELECT 1');
  await assert.rejects(narrow.users.query('SELECT 1'), unavailable);
  assert.ok(Date.now() - started < 1000);
  await assert.rejects(waiting, unavailable);
  free?.();
  await held;
  assert.deepEqual(
    await narrow.users.query('SELECT 1 AS one'),
    [{ one: 1 }],
    'the connection that came too late was given back',
  );
  await narrow.close();
});

/** A TCP proxy whose connections can be cut, as a server's death cuts them. */
async function openProxy(port: number, host: string) {
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  const listen = (at: number) =>
    new Promise<number>((resolve) => {
      const created = createServer((client) => {
        const upstream = connect(port, host);
        for (const socket of [client, upstream]) {
          sockets.add(socket);
          socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
        }
        client.pipe(upstream).pipe(client);
      });
      server = created;
      created.listen(at, '127.0.0.1', () => resolve((created.address() as { port: number }).port));
    });
  const own = await listen(0);
  return {
    port: own,
    async cut() {
      const closed = new Promise((resolve) => server?.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    mend: () => listen(own),
  };
}
