import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batches } from './producing.ts';

const record = (topic: string, value: string, bytes: number) => ({ topic, key: null, value, bytes });

test('records are produced in one request while each topic has few', () => {
  const rounds = batches([record('a', '1', 400_000), record('b', '2', 800_000), record('a', '3', 400_000)]);
  assert.deepEqual(
    rounds.map((round) => round.map(({ topic, messages }) => [topic, messages.map(({ value }) => value)])),
    [
      [
        ['a', ['1', '3']],
        ['b', ['2']],
      ],
    ],
  );
});

test('a topic with many records takes several requests, in order', () => {
  const rounds = batches([
    record('a', '1', 800_000),
    record('a', '2', 800_000),
    record('b', '3', 10),
    record('a', '4', 90_000),
    record('a', '5', 90_000),
  ]);
  assert.deepEqual(
    rounds.map((round) => round.map(({ topic, messages }) => [topic, messages.map(({ value }) => value)])),
    [
      [
        ['a', ['1']],
        ['b', ['3']],
      ],
      [['a', ['2', '4']]],
      [['a', ['5']]],
    ],
  );
});
