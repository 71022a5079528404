import { rotationGraceMs } from '../../../lib/domain/session-lifetimes.ts';

/**
 * The most rotations that are remembered within the grace period. A client that refreshes more often gets the same
 * token.
 */
const maxRemembered = 16;

export type Rotation =
  /** The token was the current one: the session's next generation begins. */
  | { kind: 'next'; generation: number; rotatedAt: string }
  /** The token was rotated within the grace period, or there were too many rotations: the current generation stays. */
  | { kind: 'again'; generation: number }
  /** The token was rotated earlier: it or its successor must be assumed stolen. */
  | { kind: 'reused' };

/** Returns the generation of the presented token, or -1 if the token is older than every known one. */
export function presented(
  token: { presentedTokenHash: Buffer; presentedGeneration: number },
  firstTokenHash: Buffer | null,
): number {
  if (token.presentedTokenHash.length === 0) return token.presentedGeneration;
  return firstTokenHash?.equals(token.presentedTokenHash) ? 0 : -1;
}

/** Decides what a presented generation means for a session at the time `at` (Unix milliseconds). */
export function rotation(
  session: { generation: number; rotated_at: string | null },
  generation: number,
  at: number,
): Rotation {
  const times = session.rotated_at?.split(',').map(Number) ?? [];
  // A later generation is valid too: the database was restored to a state before that rotation.
  if (generation >= session.generation) {
    const recent =
      generation > session.generation ? [] : times.filter((time) => time >= at - rotationGraceMs);
    if (recent.length >= maxRemembered) return { kind: 'again', generation };
    return { kind: 'next', generation: generation + 1, rotatedAt: [...recent, at].join(',') };
  }
  const rotatedAt = generation < 0 ? undefined : times.at(generation - session.generation);
  return rotatedAt !== undefined && at - rotatedAt <= rotationGraceMs
    ? { kind: 'again', generation: session.generation }
    : { kind: 'reused' };
}
