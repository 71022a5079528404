import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isSampled, latestUpTo, placesOfTime } from './postings.ts';

/** Messages of one block, created by processes whose clocks differ by up to two seconds. */
const blocks = fc
  .array(fc.record({ pauseMs: fc.nat({ max: 1500 }), skewMs: fc.constantFrom(0, 0, 300, 1999) }), {
    minLength: 40,
    maxLength: 120,
  })
  .map((messages) => {
    let now = 1_000_000;
    const times = messages.map(({ pauseMs, skewMs }) => {
      now += pauseMs;
      return now - skewMs;
    });
    return times.map((at, place) => ({ place, at }));
  });
const sampled = (block: { place: number; at: number }[]) => block.filter(({ place }) => isSampled(place));

test('whatever the clocks of several processes say, no message is later than its bound', () => {
  fc.assert(
    fc.property(blocks, (block) => {
      const samples = sampled(block);
      let latest = 0;
      for (const { place, at } of block) {
        latest = Math.max(latest, at);
        assert.ok(latest <= latestUpTo(samples, place));
      }
    }),
  );
});

test('whatever the clocks of several processes say, all messages of a time are within its places', () => {
  fc.assert(
    fc.property(blocks, fc.nat({ max: 90_000 }), fc.nat({ max: 20_000 }), (block, begin, length) => {
      const [from, to] = [1_000_000 + begin, 1_000_000 + begin + length];
      const { after, before } = placesOfTime(sampled(block), from, to);
      for (const { place, at } of block)
        if (at >= from && at <= to) assert.ok(place > after && place < before, `${place}`);
    }),
    { numRuns: 1000 },
  );
});

test('bounds are near enough to leave out what is much older or newer', () => {
  const block = Array.from({ length: 1024 }, (_, place) => ({ place, at: 60_000 * place }));
  assert.ok(latestUpTo(sampled(block), 100) < 60_000 * 120);
  const { after, before } = placesOfTime(sampled(block), 60_000 * 500, 60_000 * 510);
  assert.ok(after > 450 && before < 550);
});
