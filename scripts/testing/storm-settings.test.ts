import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stormSettings } from './storm-settings.ts';

test('what is meant for the storm becomes settings, the rest stays', () => {
  assert.deepEqual(
    stormSettings(['fault', 'storm', '--minutes', '20', '--seed', '7', '--only', 'kill|freeze']),
    {
      asked: ['fault', 'storm'],
      settings: { STORM_MINUTES: '20', STORM_SEED: '7', STORM_ONLY: 'kill|freeze' },
    },
  );
  assert.deepEqual(stormSettings(['unit']), { asked: ['unit'], settings: {} });
});

test('a number that is none, and an option that is unknown, are refused in one sentence', () => {
  assert.throws(
    () => stormSettings(['--seed', 'x']),
    /--seed takes a number above 0 and below 1000000, not "x"\./,
  );
  assert.throws(
    () => stormSettings(['--fast']),
    /Unknown option '--fast': npm test takes the names of steps/,
  );
});
