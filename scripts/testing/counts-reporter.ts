import type { TestEvent } from 'node:test/reporters';

export interface Counts {
  passed: number;
  failed: number;
}

/** A reporter for node:test that writes only the numbers of passed and failed tests, as JSON. */
export default async function* countsReporter(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const counts: Counts = { passed: 0, failed: 0 };
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    if (data.skip !== undefined || data.todo !== undefined || data.details.type === 'suite') continue;
    counts[type === 'test:pass' ? 'passed' : 'failed'] += 1;
  }
  yield JSON.stringify(counts);
}
