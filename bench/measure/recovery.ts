/**
 * The number of seconds until the system was calm and stayed calm for `calmSeconds`: 0 if it was calm from the start,
 * undefined if it never was. A shorter calm period at the end counts too.
 */
export function secondsToRecover(
  calm: readonly boolean[],
  { calmSeconds }: { calmSeconds: number },
): number | undefined {
  for (let from = 0; from < calm.length; from += 1) {
    if (calm.slice(from, from + calmSeconds).every(Boolean)) return from;
  }
  return undefined;
}
