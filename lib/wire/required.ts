/**
 * A message field that every successful answer has. Proto makes all message fields optional, so a missing one is a
 * fault of the service that answered.
 */
export function required<T>(part: T | undefined): T {
  if (part === undefined) throw new Error('an answer lacks a required field');
  return part;
}
