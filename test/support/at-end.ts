import { after } from 'node:test';

const closings: (() => unknown)[] = [];

/**
 * Calls `close` after all tests of the file, whether or not they passed. The last registered call runs first, and a
 * failed call does not prevent the others.
 */
export function atEnd(close: () => unknown): void {
  closings.push(close);
}

after(async () => {
  const errors: unknown[] = [];
  for (const close of closings.splice(0).reverse()) {
    try {
      await close();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw new AggregateError(errors, 'not everything could be closed');
});
