import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeeds } from '../../../../bench/fixtures/seeds.ts';
import type { User } from '../../../../lib/gen/im_repo/v1/user.ts';
import { insertSuffixes } from '../../../../services/repo/users/usernames.ts';
import { atEnd } from '../../../support/at-end.ts';
import { openRepoParts } from '../../../support/repo/open-repo.ts';
import { countRowsRead } from '../../../support/repo/rows-read.ts';
import { createUserParts } from '../../../support/repo/user-parts.ts';

/** Nobody signs in in this test, so passwords are not hashed. */
const passwords = { hash: async () => 'hash', verify: async () => false, waiting: () => 0 };

const { parts } = await openRepoParts();
const { databases: counted, rowsReadBy } = countRowsRead(parts.url);
const seeds = createSeeds(parts.url, () => undefined);
atEnd(seeds.close);
const users = createUserParts({ ...parts, databases: counted, passwords });

async function create(username: string, isGuest = false): Promise<User> {
  const { user } = await users.createUser({ username, password: 'a password', avatarUrl: '', isGuest });
  assert.ok(user);
  return user;
}

const search = async (query: string, limit = 20): Promise<string[]> =>
  (await users.searchUsersByUsername({ query, limit })).users.map(({ username }) => username);

/** What a user is found by, beside the name itself. */
const suffixesOf = async (userId: string): Promise<string[]> =>
  (
    await parts.databases.users.query<{ suffix: string }>(
      'SELECT suffix FROM username_suffixes WHERE user_id = ? ORDER BY CHAR_LENGTH(suffix) DESC',
      [Number(userId)],
    )
  ).map(({ suffix }) => suffix);

test('taking a name does not wait for the transaction that frees another one, even in a small table', async () => {
  const { id } = await create('long-enough-to-scan');
  const entered = Promise.withResolvers<void>();
  const done = Promise.withResolvers<void>();
  const giving = parts.databases.users.transaction(async (tx) => {
    await tx.batch(insertSuffixes(1, 'underway').join(';\n'));
    entered.resolve();
    await done.promise;
    throw new Error('taken back');
  });
  await entered.promise;
  try {
    assert.deepEqual(await users.closeAccount({ userId: id, idleGuestBefore: 0 }), { closed: true });
  } finally {
    done.resolve();
    await assert.rejects(giving, /taken back/);
  }
  assert.deepEqual(await suffixesOf('1'), []);
});

test('a name is found by any part of it, in any case', async () => {
  const { id } = await create('Xanthippe_7');
  for (const part of ['xanthippe_7', 'ANTH', 'hipp', 'e_7', '_7', '7'])
    assert.deepEqual(await search(part), ['Xanthippe_7'], part);
  for (const other of ['anthippe7', 'ant_ippe', 'e%7', 'ippe_77', 'xx'])
    assert.deepEqual(await search(other), [], other);
  assert.deepEqual(await suffixesOf(id), [
    'anthippe_7',
    'nthippe_7',
    'thippe_7',
    'hippe_7',
    'ippe_7',
    'ppe_7',
    'pe_7',
    'e_7',
    '_7',
    '7',
  ]);
});

test('an underscore or a dot in a search is no wildcard', async () => {
  for (const name of ['my_kk.name', 'myxkk-name']) await create(name);
  assert.deepEqual(await search('y_kk'), ['my_kk.name']);
  assert.deepEqual(await search('kk.n'), ['my_kk.name']);
  assert.deepEqual(await search('kk'), ['myxkk-name', 'my_kk.name']);
});

test('a name that contains the text several times comes once, also if it begins with it', async () => {
  for (const name of ['wawawa', 'big-wawa', 'w'.repeat(50)]) await create(name);
  assert.deepEqual(await search('wa'), ['wawawa', 'big-wawa']);
  assert.deepEqual(await search('WAWA'), ['wawawa', 'big-wawa']);
  assert.deepEqual(await search('ww'), ['w'.repeat(50)]);
  assert.deepEqual(await search('w'), ['wawawa', 'w'.repeat(50), 'big-wawa']);
});

test('pages are full after names that contain the text many times, and the number of read rows stays bounded', async () => {
  // 48 rows of each of the first three come before the first one of the others.
  const often = ['x1', 'x2', 'x3'].map((start) => `${start}${'q'.repeat(48)}`);
  const once = ['y-qz1', 'y-qz2', 'y-qz3', 'y-qz4'];
  for (const name of [...often, ...once]) await create(name);
  for (let limit = 1; limit <= 8; limit += 1) {
    const expected = [...often, ...once].slice(0, limit);
    assert.deepEqual(await search('q', limit), expected, `limit ${limit}`);
    assert.ok((await rowsReadBy(() => search('q', limit))) < 70 * limit + 10, `limit ${limit}`);
  }
  assert.deepEqual(await search('q'.repeat(47)), often);
});

test('a page that ends between names with the same suffix continues with the others', async () => {
  // They all end in the same way, behind 20 rows of one name.
  const names = [`x${'v'.repeat(20)}`, ...Array.from({ length: 11 }, (_, n) => `y${n}-vz`)];
  for (const name of names) await create(name);
  for (let limit = 1; limit <= names.length; limit += 1)
    assert.deepEqual(await search('v', limit), names.slice(0, limit), `limit ${limit}`);
});

test('pages hold as many as asked for, at most fifty, and twenty if nothing is said', async () => {
  for (let n = 0; n < 60; n += 1) await create(`${n % 2 === 0 ? 'lim' : 'x.lim'}-${n}`);
  for (const [limit, count] of [
    [1, 1],
    [29, 29],
    [31, 31],
    [50, 50],
    [1000, 50],
    [0, 20],
  ] as const) {
    const found = await search('lim', limit);
    assert.equal(new Set(found).size, count);
    const beginning = found.filter((name) => name.startsWith('lim'));
    assert.equal(beginning.length, Math.min(count, 30));
    assert.deepEqual(found.slice(0, beginning.length), beginning);
  }
});

test('a guest is found by parts of the assigned name until the upgrade, then only by parts of the chosen name', async () => {
  const guest = await create('', true);
  const given = guest.username.slice('guest-'.length);
  assert.deepEqual(await search(given), [guest.username]);
  assert.deepEqual(await search(`t-${given.slice(0, 7)}`), [guest.username]);
  await users.upgradeGuest({ userId: guest.id, username: 'Ottokar', password: 'a password' });
  for (const part of [given, guest.username, `t-${given.slice(0, 7)}`])
    assert.deepEqual(await search(part), []);
  assert.deepEqual(await search('TOKA'), ['Ottokar']);
  assert.deepEqual(await suffixesOf(guest.id), ['ttokar', 'tokar', 'okar', 'kar', 'ar', 'r']);
});

test('a guest whose upgrade is refused is still found by the old name', async () => {
  await create('Taken-name');
  const guest = await create('', true);
  const suffixes = await suffixesOf(guest.id);
  await assert.rejects(
    users.upgradeGuest({ userId: guest.id, username: 'taken-NAME', password: 'a password' }),
  );
  assert.deepEqual(await suffixesOf(guest.id), suffixes);
  assert.deepEqual(await search('aken-n'), ['Taken-name']);
});

test('a refused name leaves no search rows behind', async () => {
  const results = await Promise.allSettled(['rivalry', 'Rivalry', 'RIVALRY'].map((name) => create(name)));
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
  const [row] = await parts.databases.users.query<{ count: number }>(
    "SELECT COUNT(*) AS count FROM username_suffixes WHERE suffix = 'ivalry'",
  );
  assert.deepEqual(row, { count: 1 });
});

test('an erased account is found by no part of its name, and has no search rows left', async () => {
  const { id } = await create('Kunigunde');
  assert.deepEqual(await search('nigun'), ['Kunigunde']);
  await users.closeAccount({ userId: id, idleGuestBefore: 0 });
  for (const part of ['kunigunde', 'nigun', 'deleted', 'eleted', `eleted:${id}`, id])
    assert.deepEqual(await search(part), [], part);
  assert.deepEqual(await suffixesOf(id), []);
  // Once the reservation ends, the name is free again, with all its parts.
  await parts.databases.users.execute('DELETE FROM username_reservations');
  const again = await create('kunigunde');
  assert.deepEqual(await search('nigun'), ['kunigunde']);
  assert.equal((await suffixesOf(again.id)).length, 8);
});

/** Accounts as closing leaves them behind, a third of all that were seeded. */
async function eraseManySeeds(): Promise<void> {
  const { users } = parts.databases;
  await users.execute(
    "UPDATE users SET status = 2, username = CONCAT('deleted:', id) WHERE username LIKE 'seed-%' AND MOD(id, 3) = 0",
  );
  await users.execute(
    'DELETE s FROM username_suffixes s JOIN users u ON u.id = s.user_id WHERE u.status = 2',
  );
  await users.execute('DELETE n FROM usernames n JOIN users u ON u.id = n.user_id WHERE u.status = 2');
}

test('a search reads only the rows that its page needs, with many, erased or no users', async () => {
  await seeds.growUsers(30_000);
  await eraseManySeeds();
  const limit = 20;
  // What nothing has; what most begin with, contain in the middle, or end with; what only erased names begin with.
  for (const text of [
    'nowhere',
    'zzz',
    's',
    'seed',
    'eed-',
    'd-1',
    '-',
    '1',
    '0',
    'd',
    'deleted',
    'de',
    'DELE',
  ])
    for (const searched of [text, text.toUpperCase()]) {
      const read = await rowsReadBy(() => search(searched, limit));
      // A page of each index, twice as many suffixes as users, and the rows of these.
      assert.ok(read < 5 * limit, `${searched}: ${read} rows`);
    }
  assert.equal((await search('eed-', 50)).length, 50);
  assert.deepEqual(await search('deleted'), []);
});

test('storing and deleting a name reads no rows of other users', async () => {
  const read = await rowsReadBy(async () => {
    const guest = await create('', true);
    await users.upgradeGuest({ userId: guest.id, username: 'Seed-Sower', password: 'a password' });
    assert.deepEqual(await search('d-sow'), ['Seed-Sower']);
    await users.closeAccount({ userId: guest.id, idleGuestBefore: 0 });
    assert.deepEqual(await search('d-sow'), []);
  });
  assert.ok(read < 200, `${read} rows`);
});
