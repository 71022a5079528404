import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { codeOf } from '../../../../lib/errors.ts';
import { createLogger } from '../../../../lib/log.ts';
import type { Database } from '../../../../services/repo/storage/database.ts';
import { createIds, type Ids } from '../../../../services/repo/storage/ids.ts';
import { eventually } from '../../../support/eventually.ts';
import { connectDatabases, openMigratedDatabase } from '../../../support/repo/database.ts';

const log = createLogger('test', 'silent');
const { users: database } = connectDatabases(await openMigratedDatabase());
let running: Ids[] = [];

afterEach(async () => {
  await Promise.all(running.map((ids) => ids.stop()));
  running = [];
  await database.execute('UPDATE id_workers SET owner = NULL, reserved_until = 0');
});

async function start(options: { database?: Database; clock?: () => number } = {}): Promise<Ids> {
  const ids = await createIds({ database, log, ...options });
  running.push(ids);
  return ids;
}

const take = (ids: Ids, count: number): number[] => Array.from({ length: count }, () => ids.nextId());
const assertUnique = (ids: number[]) => assert.equal(new Set(ids).size, ids.length);
const assertAscending = (ids: number[]) =>
  assert.ok(ids.every((id, index) => index === 0 || id > (ids[index - 1] ?? Infinity)));

/** A holder that can't reach the database any more, as a paused process can't. */
function cutOff(): { database: Database; cut(): void } {
  let cut = false;
  const guard =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    (...args: A): Promise<R> =>
      cut ? Promise.reject(new Error('paused')) : call(...args);
  return {
    database: {
      ...database,
      execute: guard(database.execute),
      transaction: (work) => (cut ? Promise.reject(new Error('paused')) : database.transaction(work)),
    },
    cut: () => {
      cut = true;
    },
  };
}

const workerOf = (id: number): number => Math.floor(id / 128) % 32;

test('ids are ascending, below 2^53, and contain the time', async () => {
  const ids = await start();
  const taken = take(ids, 10_000);
  assertAscending(taken);
  assert.ok(taken.every(Number.isSafeInteger));
  const ms = Math.floor((taken[0] ?? 0) / 4096) + 1_704_067_200_000;
  assert.ok(Math.abs(ms - Date.now()) < 5000, `the first id is of ${ms}`);
});

test('concurrent generators never assign the same id', async () => {
  const makers = await Promise.all(Array.from({ length: 8 }, () => start()));
  assertUnique(makers.flatMap((ids) => take(ids, 20_000)));
});

test('a clock that steps back, even far, repeats nothing', async () => {
  let now = 1_000_000;
  const ids = await start({ clock: () => now });
  const before = take(ids, 1000);
  now -= 3_600_000;
  const later = take(ids, 1000);
  assertAscending([...before, ...later]);
});

test('after a restart ids are above the earlier ones, even if the database clock was an hour ahead', async () => {
  const first = await start();
  const before = take(first, 1000);
  await first.stop();
  await database.execute('UPDATE id_workers SET reserved_until = reserved_until + 3600000 WHERE worker = 0');
  const second = await start();
  const later = take(second, 1000);
  assertAscending([...before, ...later]);
  assert.ok((later[0] ?? 0) > (before[0] ?? 0) + 3_600_000 * 4096);
});

test('a process that was suspended and lost its worker number assigns no id of the new holder', async () => {
  const paused = cutOff();
  const old = await start({ database: paused.database, clock: () => 0 });
  const before = take(old, 100);
  const [held] = await database.query<{ worker: number }>(
    'SELECT worker FROM id_workers WHERE owner IS NOT NULL',
  );
  paused.cut();
  await leaveOnlyExpired();

  const next = await start();
  const [taken] = await database.query<{ worker: number }>(
    "SELECT worker FROM id_workers WHERE owner IS NOT NULL AND owner <> 'somebody-else'",
  );
  assert.deepEqual(taken, held, 'the new one took over the same worker number');
  await database.execute("UPDATE id_workers SET owner = NULL WHERE owner = 'somebody-else'");
  const fromNew = take(next, 50_000);
  // It continues after its last id, and uses no more than its reservation.
  const fromOld: number[] = [];
  let refused: unknown;
  while (!refused && fromOld.length < 1_000_000) {
    try {
      fromOld.push(old.nextId());
    } catch (error) {
      refused = error;
    }
  }
  assert.equal(codeOf(refused), 'UNAVAILABLE');
  assertUnique([...before, ...fromNew, ...fromOld]);
});

/** Ends the lease of the only holder, and gives all other worker numbers to somebody else. */
async function leaveOnlyExpired(): Promise<void> {
  await database.execute('UPDATE id_workers SET lease_until = 1 WHERE owner IS NOT NULL');
  await database.execute(
    "UPDATE id_workers SET owner = 'somebody-else', lease_until = ? WHERE owner IS NULL",
    [Number.MAX_SAFE_INTEGER],
  );
}

test('a process that has run for a while makes ids for ten minutes without the database', async () => {
  const cut = cutOff();
  let now = 0;
  const ids = await start({ database: cut.database, clock: () => now });
  const first = ids.nextId();
  now = 10_000;
  const reservation = async () => {
    const [row] = await database.query<{ ahead: number; lease: number }>(
      'SELECT reserved_until - lease_until AS ahead, lease_until AS lease FROM id_workers WHERE worker = ?',
      [workerOf(first)],
    );
    return row ?? { ahead: 0, lease: 0 };
  };
  await eventually(async () => (await reservation()).ahead > 600_000);
  // The process knows of this reservation before it renews it again.
  const { lease } = await reservation();
  await eventually(async () => (await reservation()).lease > lease);
  cut.cut();
  const later = Array.from({ length: 600 }, () => {
    now += 1000;
    return ids.nextId();
  });
  assertAscending([first, ...later]);
  assert.ok((later.at(-1) ?? 0) - first >= 600_000 * 4096, 'ids tell the time all the while');
});

test('what a dead process reserved does not move the time of the next ones', async () => {
  const dead = cutOff();
  await start({ database: dead.database });
  dead.cut();
  await database.execute(
    'UPDATE id_workers SET lease_until = 1, reserved_until = reserved_until + 900000 WHERE owner IS NOT NULL',
  );
  const next = await start();
  const ms = Math.floor(next.nextId() / 4096) + 1_704_067_200_000;
  assert.ok(Math.abs(ms - Date.now()) < 5000, `the first id is of ${ms}`);
});

test('a process that lost its worker number continues with another one', async () => {
  const ids = await start();
  const before = take(ids, 100);
  await database.execute(
    "UPDATE id_workers SET owner = 'somebody-else', lease_until = lease_until + 60000 WHERE owner IS NOT NULL",
  );
  const all = [...before];
  for (;;) {
    const id = ids.nextId();
    all.push(id);
    if (workerOf(id) !== workerOf(before[0] ?? 0)) break;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assertAscending(all);
});

test('a worker number that another process is claiming is skipped, and not waited for', async () => {
  await database.transaction(async (tx) => {
    await tx.query('SELECT worker FROM id_workers WHERE worker <= 2 FOR UPDATE');
    const startedAt = performance.now();
    const ids = await start();
    // A row lock is waited for 5 s.
    assert.ok(performance.now() - startedAt < 2000);
    assert.equal(Math.floor(ids.nextId() / 128) % 32, 3);
    await ids.stop();
  });
});

test('a burst beyond the clock is served ahead of it, as far as the reservation follows', async () => {
  const ids = await start();
  const started = Date.now();
  const all: number[] = [];
  while (all.length < 1_000_000) {
    try {
      all.push(ids.nextId());
    } catch (error) {
      assert.equal(codeOf(error), 'UNAVAILABLE');
      // Lets the renewal that was asked for come in.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  assertAscending(all);
  assert.ok(Date.now() - started < 5000, 'a million ids are of 7.8 seconds, and take less');
});
