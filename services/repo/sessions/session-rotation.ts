import { rotationGraceMs } from '../../../lib/domain/session-lifetimes.ts';

/** Rotations within it, all of which are remembered: who refreshes more often gets the same token for a while. */
const maxRemembered = 16;

export type Rotation =
  /** The token was the current one: the session's next generation begins. */
  | { kind: 'next'; generation: number; rotatedAt: string }
  /** It was rotated moments ago, or there were too many rotations lately: the current generation once more. */
  | { kind: 'again'; generation: number }
  /** It was rotated before: it, or its successor, is in the wrong hands. */
  | { kind: 'reused' };

/** The generation of the presented token; below every other one when it is older than all that are known. */
export function presented(
  token: { presentedTokenHash: Buffer; presentedGeneration: number },
  firstTokenHash: Buffer | null,
): number {
  if (token.presentedTokenHash.length === 0) return token.presentedGeneration;
  return firstTokenHash?.equals(token.presentedTokenHash) ? 0 : -1;
}

/** What a presented generation means to a session, at a moment in Unix milliseconds. */
export function rotation(
  session: { generation: number; rotated_at: string | null },
  generation: number,
  at: number,
): Rotation {
  const times = session.rotated_at?.split(',').map(Number) ?? [];
  // A later one is ours too: the storage was taken back to a state from before it.
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
