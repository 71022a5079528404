/** A part that a successful answer always has. Proto marks every message field as optional; its absence is a fault. */
export function required<T>(part: T | undefined): T {
  if (part === undefined) throw new Error('an answer came without the part it is about');
  return part;
}
