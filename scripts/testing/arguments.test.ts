import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readArguments } from './arguments.ts';

test('options of the storm become settings, the others stay arguments', () => {
  assert.deepEqual(
    readArguments(['fault', 'storm', '--minutes', '20', '--seed', '7', '--only', 'kill|freeze']),
    {
      asked: ['fault', 'storm'],
      settings: { STORM_MINUTES: '20', STORM_SEED: '7', STORM_ONLY: 'kill|freeze' },
      orSkip: false,
    },
  );
  assert.deepEqual(readArguments(['unit']), { asked: ['unit'], settings: {}, orSkip: false });
});

test('only a known database server can be chosen', () => {
  assert.deepEqual(readArguments(['--database', 'mysql', '--or-skip', 'e2e']), {
    asked: ['e2e'],
    settings: {},
    database: 'mysql',
    orSkip: true,
  });
  assert.throws(
    () => readArguments(['--database', 'oracle']),
    /--database takes mariadb or mysql, not "oracle"\./,
  );
});

test('the groups of tables are in one database or in several', () => {
  assert.equal(readArguments(['e2e', '--databases', 'split']).databases, 'split');
  assert.throws(
    () => readArguments(['--databases', 'two']),
    /--databases takes one or split or sharded, not "two"\./,
  );
});

test('invalid numbers and unknown options are refused in one sentence', () => {
  assert.throws(
    () => readArguments(['--seed', 'x']),
    /--seed takes a number above 0 and below 1000000, not "x"\./,
  );
  assert.throws(
    () => readArguments(['--fast']),
    /Unknown option '--fast': npm test takes the names of steps/,
  );
});
