import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHistogram, mergeHistograms } from './histogram.ts';

test('percentiles are within 0.8 % of the exact ones, over six orders of magnitude', () => {
  const values = Array.from({ length: 20_000 }, (_, index) => Math.round(1.0008 ** index * 3));
  const histogram = createHistogram();
  for (const value of values) histogram.record(value);
  for (const share of [0.01, 0.5, 0.9, 0.99, 0.999, 1]) {
    const exact = values[Math.ceil(values.length * share) - 1] ?? 0;
    const told = histogram.percentile(share);
    assert.ok(told >= exact && told <= exact * 1.008 + 1, `${share}: ${told} for ${exact}`);
  }
});

test('small values and the maximum are exact', () => {
  const histogram = createHistogram();
  for (const value of [0, 1, 7, 255, 1_234_567]) histogram.record(value);
  assert.equal(histogram.percentile(0.2), 0);
  assert.equal(histogram.percentile(0.4), 1);
  assert.equal(histogram.percentile(0.8), 255);
  assert.equal(histogram.percentile(1), 1_234_567);
  assert.equal(histogram.data().max, 1_234_567);
});

test('two merged halves give the same percentiles as the whole', () => {
  const [left, right, whole] = [createHistogram(), createHistogram(), createHistogram()];
  for (let value = 0; value < 50_000; value += 37) {
    (value % 2 === 0 ? left : right).record(value);
    whole.record(value);
  }
  assert.deepEqual(mergeHistograms([left.data(), right.data()]), whole.data());
  assert.deepEqual(createHistogram(whole.data()).data(), whole.data());
});

test('values beyond the range count at its end', () => {
  const histogram = createHistogram();
  histogram.record(-5);
  histogram.record(1e12);
  assert.equal(histogram.count(), 2);
  assert.equal(histogram.percentile(0.5), 0);
  assert.equal(histogram.percentile(1), 2 ** 31 - 1);
});

test('an empty histogram answers zero', () => {
  assert.equal(createHistogram().percentile(0.99), 0);
});
