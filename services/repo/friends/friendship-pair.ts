import { accountStatus, type SendState, sendState } from '../../../lib/domain/enumerations.ts';
import { pairKey, parseId } from '../../../lib/domain/ids.ts';
import { userNotFound } from '../../../lib/domain/refusals.ts';
import { formatSql, type Sql } from '../storage/database.ts';

/** Two users, lower id first, so that both directions give the same pair. */
export type Pair = { low: number; high: number; key: string };

/** Throws USER_NOT_FOUND if one of the ids is not a valid user id. */
export function pairOf(a: string, b: string): Pair {
  const [first, second] = [parseId(a), parseId(b)];
  if (!first || !second) throw userNotFound();
  const [low, high] = first < second ? [first, second] : [second, first];
  return { low, high, key: pairKey(a, b) };
}

/** The pair with this key ("low:high"). */
export function pairOfKey(key: string): Pair {
  const [low = '', high = ''] = key.split(':');
  return pairOf(low, high);
}

/** What all changes of a pair have in common. */
export type PairRow = {
  /** Grows with every change of the friendship or of a block; 0 before the first one. */
  version: number;
  /** Their single conversation; undefined before it is opened for the first time. */
  conversationId: number | undefined;
};

type StoredPair = { version: number; conversation_id: number | null };

const toPairRow = (row: StoredPair | undefined): PairRow => ({
  version: row?.version ?? 0,
  conversationId: row?.conversation_id ?? undefined,
});

const selectPair = ({ low, high }: Pair): string =>
  `SELECT version, conversation_id FROM pairs WHERE low_id = ${low} AND high_id = ${high}`;

/**
 * Locks a pair until the end of the transaction. It serializes all changes of the requests, friendship and blocks of the
 * two users, and the closing of their accounts. It must be the first lock of a transaction. Throws USER_NOT_FOUND unless
 * both accounts are active; with `evenClosed`, unless both exist. `also` are queries that run in the same round trip,
 * under the lock; `results` has what they found.
 */
export async function lockPair(
  tx: Sql,
  pair: Pair,
  { evenClosed = false, also = [] }: { evenClosed?: boolean; also?: readonly string[] } = {},
): Promise<PairRow & { results: unknown[] }> {
  const { low, high } = pair;
  const active = evenClosed ? '' : `AND status = ${accountStatus.active}`;
  const [lower, higher, , rows, ...results] = (await tx.batch(
    [
      ...[low, high].map((id) => `SELECT id FROM users WHERE id = ${id} ${active} FOR UPDATE`),
      `INSERT INTO pairs (low_id, high_id) VALUES (${low}, ${high}) ON DUPLICATE KEY UPDATE low_id = low_id`,
      `${selectPair(pair)} FOR UPDATE`,
      ...also,
    ].join(';\n'),
  )) as [{ id: number }[], { id: number }[], unknown, StoredPair[], ...unknown[]];
  if (lower.length === 0 || higher.length === 0) throw userNotFound();
  return { ...toPairRow(rows[0]), results };
}

export type Standing = { friends: boolean; lowBlocksHigh: boolean; highBlocksLow: boolean };

/** The statements whose results `toStanding` parses. */
export const standingStatements = ({ low, high }: Pair): string[] => [
  formatSql('SELECT 1 FROM friendships WHERE user_id = ? AND friend_id = ?', [low, high]),
  formatSql('SELECT 1 FROM user_blocks WHERE user_id = ? AND blocked_id = ?', [low, high]),
  formatSql('SELECT 1 FROM user_blocks WHERE user_id = ? AND blocked_id = ?', [high, low]),
];

export function toStanding(results: readonly unknown[]): Standing {
  const [friends, lowBlocks, highBlocks] = results as unknown[][];
  return {
    friends: friends?.length === 1,
    lowBlocksHigh: lowBlocks?.length === 1,
    highBlocksLow: highBlocks?.length === 1,
  };
}

/** Reads a pair and then its standing, which is as new as the version or newer. */
export async function readPair(sql: Sql, pair: Pair): Promise<PairRow & { standing: Standing }> {
  const [rows, ...standing] = await sql.batch([selectPair(pair), ...standingStatements(pair)].join(';\n'));
  return { ...toPairRow((rows as StoredPair[])[0]), standing: toStanding(standing) };
}

/** Returns the value of conversations.send_state for a pair. */
export function sendStateOf({ friends, lowBlocksHigh, highBlocksLow }: Standing): SendState {
  if (lowBlocksHigh || highBlocksLow) return sendState.blocked;
  return friends ? sendState.open : sendState.notFriends;
}
