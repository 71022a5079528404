import { after } from 'node:test';

const closings: (() => unknown)[] = [];

/**
 * Closes something when all tests of the file are over, whether or not they passed. What was opened last is closed
 * first, and what cannot be closed keeps nothing else from being closed.
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
