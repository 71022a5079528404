/** Times of the latest offences of one kind in ms, oldest first. */
export type Offences = number[];

const windowMs = 60_000;

/** Records an offence at `now` (ms). Returns true if it is at least the `limit`th within a minute. */
export function recordOffence(offences: Offences, limit: number, now = performance.now()): boolean {
  offences.push(now);
  while (offences.length > limit || (offences[0] ?? now) <= now - windowMs) offences.shift();
  return offences.length >= limit;
}
