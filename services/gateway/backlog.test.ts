import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBacklog } from './backlog.ts';

const most = 20_000;

/** A backlog with its own clock. */
function scene() {
  let at = 0;
  const backlog = createBacklog({ most, now: () => at });
  return {
    ...backlog,
    pass(ms: number) {
      at += ms;
    },
    /** Acknowledgements at an even rate for a while, each so long after its send. */
    acknowledge(options: { perSecond: number; forMs: number; seconds: number; refusing?: boolean }) {
      for (let passed = 0; passed < options.forMs; passed += 1000 / options.perSecond) {
        at += 1000 / options.perSecond;
        backlog.note(options.seconds);
        if (options.refusing) backlog.refused();
      }
    },
  };
}

test('while acknowledgements are quick, as many as memory allows may wait', () => {
  const { most: allowed, acknowledge } = scene();
  acknowledge({ perSecond: 4000, forMs: 5000, seconds: 0.05 });
  assert.equal(allowed(), most);
});

test('a burst that is over soon restricts nothing', () => {
  const { most: allowed, acknowledge } = scene();
  acknowledge({ perSecond: 4000, forMs: 400, seconds: 1 });
  acknowledge({ perSecond: 4000, forMs: 100, seconds: 0.1 });
  acknowledge({ perSecond: 4000, forMs: 400, seconds: 1 });
  assert.equal(allowed(), most);
});

test('slow acknowledgements without an end: only what is stored in a moment may wait', () => {
  const { most: allowed, acknowledge } = scene();
  acknowledge({ perSecond: 4000, forMs: 2000, seconds: 1 });
  assert.ok(allowed() > 250 && allowed() < 400, String(allowed()));
});

test('a few quick acknowledgements among slow ones change nothing', () => {
  const { most: allowed, acknowledge } = scene();
  for (let round = 0; round < 40; round += 1) {
    acknowledge({ perSecond: 4000, forMs: 45, seconds: 0.25 });
    acknowledge({ perSecond: 4000, forMs: 5, seconds: 0.03 });
  }
  assert.ok(allowed() < 400, String(allowed()));
});

test('where little is sent, slow acknowledgements refuse nothing', () => {
  const { most: allowed, acknowledge } = scene();
  acknowledge({ perSecond: 20, forMs: 10_000, seconds: 1 });
  assert.ok(allowed() >= 200, String(allowed()));
});

test('the bound stays while anything has to be refused, and goes once nothing had to for a second', () => {
  const { most: allowed, acknowledge } = scene();
  acknowledge({ perSecond: 4000, forMs: 2000, seconds: 1, refusing: true });
  acknowledge({ perSecond: 4000, forMs: 5000, seconds: 0.1, refusing: true });
  assert.ok(allowed() < 400);
  acknowledge({ perSecond: 2000, forMs: 1200, seconds: 0.05 });
  assert.equal(allowed(), most);
});

test('what gathers while nothing is acknowledged at all is not overload', () => {
  const { most: allowed, acknowledge, pass } = scene();
  acknowledge({ perSecond: 1000, forMs: 1000, seconds: 0.05 });
  pass(10_000);
  acknowledge({ perSecond: 4000, forMs: 400, seconds: 10 });
  assert.equal(allowed(), most);
});
