/**
 * After how many seconds it was calm and stayed so for `calmSeconds`: 0 when it was from the start, undefined when it
 * never was. A shorter rest at the end counts if all of it was calm.
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
