/** When the latest offences of one kind happened, oldest first. */
export type Offences = number[];

const windowMs = 60_000;

/** Notes an offence at `now` (ms). Whether it makes so many within a minute. */
export function isOneTooMany(offences: Offences, limit: number, now = performance.now()): boolean {
  offences.push(now);
  while (offences.length > limit || (offences[0] ?? now) <= now - windowMs) offences.shift();
  return offences.length >= limit;
}
