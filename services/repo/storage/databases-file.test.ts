import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readDatabaseAddresses } from './databases-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'gochat-databases-'));
after(() => rmSync(folder, { recursive: true }));

const secret = 'hunter2';
const at = (name: string, host = 'db') => `mysql://gochat:${secret}@${host}:3306/${name}`;

function read(file: unknown): unknown {
  const path = join(folder, 'databases');
  writeFileSync(path, typeof file === 'string' ? file : JSON.stringify(file));
  return readDatabaseAddresses({ DATABASE_URL: '', DATABASES_FILE: path });
}

const good = {
  directory: { primary: at('d') },
  accounts: [{ name: 'a1', primary: at('a') }],
  conversations: [{ name: 'c1', primary: at('c'), replicas: [] }],
};

test('a file names the database of each group, as YAML or JSON; one database may have several groups', () => {
  assert.deepEqual(read({ ...good, engine: 'plain' }), {
    directory: at('d'),
    accounts: at('a'),
    conversations: [{ name: 'c1', url: at('c') }],
  });
  const yaml = `
directory: { primary: ${at('x')} }
accounts:
  - { name: a1, primary: ${at('x')} }
conversations:
  - { name: c1, primary: ${at('x')}, replicas: [] }
`;
  assert.deepEqual(read(yaml), {
    directory: at('x'),
    accounts: at('x'),
    conversations: [{ name: 'c1', url: at('x') }],
  });
});

test('conversations may be spread over several databases', () => {
  const shards = ['c1', 'c2'].map((name) => ({ name, primary: at(name) }));
  assert.deepEqual((read({ ...good, conversations: shards }) as { conversations: unknown }).conversations, [
    { name: 'c1', url: at('c1') },
    { name: 'c2', url: at('c2') },
  ]);
});

test('one address is the whole configuration of one database', () => {
  const one = readDatabaseAddresses({ DATABASE_URL: at('x'), DATABASES_FILE: '' });
  assert.deepEqual(one, {
    directory: at('x'),
    accounts: at('x'),
    conversations: [{ name: 'c1', url: at('x') }],
  });
});

test('each fault is one sentence that names the place and no password', () => {
  const faults: [unknown, RegExp][] = [
    ['{', /is neither YAML nor JSON/],
    ['[]', /DATABASES_FILE must have named entries/],
    [{ ...good, cache: {} }, /DATABASES_FILE has an unknown entry "cache"/],
    [{ ...good, engine: 'oracle' }, /engine must be plain/],
    [{ ...good, directory: undefined }, /names no database for directory/],
    [{ ...good, accounts: undefined }, /names no database for accounts/],
    [{ ...good, accounts: [] }, /names no database for accounts/],
    [{ ...good, accounts: { primary: at('a') } }, /accounts must be a list of databases/],
    [{ ...good, accounts: [{ primary: at('a') }] }, /accounts\[0\] needs a name/],
    [
      { ...good, accounts: [{ name: 'a1', primary: 'postgres://db/a' }] },
      /accounts a1: primary must be an address/,
    ],
    [
      { ...good, accounts: [{ name: 'a1', primary: 'mysql://db' }] },
      /accounts a1: primary must be an address/,
    ],
    [{ ...good, accounts: [{ name: 'a1', url: at('a') }] }, /accounts a1 has an unknown entry "url"/],
    [
      { ...good, conversations: [{ name: 'c1', primary: at('c'), replicas: [at('c')] }] },
      /conversations c1: the primary is among its replicas/,
    ],
    [
      { ...good, conversations: [{ name: 'c1', primary: at('c'), replicas: [at('r'), at('r')] }] },
      /conversations c1: a replica is named twice/,
    ],
    [
      { ...good, conversations: [{ name: 'c1', primary: at('c'), replicas: [at('a')] }] },
      /names a database as a primary and as a replica/,
    ],
    [
      {
        ...good,
        conversations: ['c1', 'c2'].map((name) => ({ name, primary: at(name), replicas: [at('r')] })),
      },
      /names a replica twice/,
    ],
    [{ ...good, reads: { maxLagMs: 0 } }, /reads: maxLagMs must be a whole number of milliseconds/],
    [{ ...good, reads: { waitMs: 1 } }, /reads has an unknown entry "waitMs"/],
    [
      { ...good, conversations: ['c1', 'c1'].map((name, n) => ({ name, primary: at(`c${n}`) })) },
      /names two databases of conversations "c1"/,
    ],
    [
      { ...good, conversations: ['c1', 'c2'].map((name) => ({ name, primary: at('c') })) },
      /names a database of conversations twice/,
    ],
    [
      { ...good, accounts: ['a1', 'a2'].map((name) => ({ name, primary: at(name) })) },
      /names 2 databases for accounts, which takes one/,
    ],
  ];
  for (const [file, sentence] of faults) {
    assert.throws(
      () => read(file),
      (error: Error) => {
        assert.match(error.message, /^configuration: [^\n]+$/);
        assert.match(error.message, sentence);
        assert.ok(!error.message.includes(secret));
        return true;
      },
    );
  }
});

test('a file beside an address, neither of them, and a file that is not there are told', () => {
  const both = { DATABASE_URL: at('x'), DATABASES_FILE: 'databases' };
  assert.throws(() => readDatabaseAddresses(both), /DATABASE_URL and DATABASES_FILE are both set/);
  assert.throws(
    () => readDatabaseAddresses({ DATABASE_URL: '', DATABASES_FILE: '' }),
    /neither DATABASE_URL nor DATABASES_FILE is set/,
  );
  assert.throws(
    () => readDatabaseAddresses({ DATABASE_URL: '', DATABASES_FILE: join(folder, 'nowhere') }),
    /cannot read DATABASES_FILE/,
  );
});
