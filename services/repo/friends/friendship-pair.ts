import { accountStatus, type SendState, sendState } from '../../../lib/domain/enumerations.ts';
import { pairKey, parseId } from '../../../lib/domain/ids.ts';
import { userNotFound } from '../../../lib/domain/refusals.ts';
import { formatSql, type Sql } from '../storage/database.ts';

/** Two users, lower id first: what stands between them is the same from both sides. */
export type Pair = { low: number; high: number; key: string };

/** USER_NOT_FOUND when one of the ids can't be a user's. */
export function pairOf(a: string, b: string): Pair {
  const [first, second] = [parseId(a), parseId(b)];
  if (!first || !second) throw userNotFound();
  const [low, high] = first < second ? [first, second] : [second, first];
  return { low, high, key: pairKey(a, b) };
}

/**
 * Locks a pair until the end of the transaction, by the rows of its users: requests, friendship, blocks and the
 * single conversation of two people change one at a time. It is a transaction's first lock, before the
 * conversation's head. USER_NOT_FOUND unless both accounts exist.
 */
export async function lockPair(tx: Sql, { low, high }: Pair): Promise<void> {
  const [lower, higher] = (await tx.batch(
    [low, high]
      .map((id) =>
        formatSql(`SELECT id FROM users WHERE id = ? AND status = ${accountStatus.active} FOR UPDATE`, [id]),
      )
      .join(';\n'),
  )) as { id: number }[][];
  if (!lower?.length || !higher?.length) throw userNotFound();
}

export type Standing = { friends: boolean; lowBlocksHigh: boolean; highBlocksLow: boolean };

export async function readStanding(tx: Sql, { low, high }: Pair): Promise<Standing> {
  const [friends, lowBlocks, highBlocks] = (await tx.batch(
    [
      formatSql('SELECT 1 FROM friendships WHERE user_id = ? AND friend_id = ?', [low, high]),
      formatSql('SELECT 1 FROM user_blocks WHERE user_id = ? AND blocked_id = ?', [low, high]),
      formatSql('SELECT 1 FROM user_blocks WHERE user_id = ? AND blocked_id = ?', [high, low]),
    ].join(';\n'),
  )) as unknown[][];
  return {
    friends: friends?.length === 1,
    lowBlocksHigh: lowBlocks?.length === 1,
    highBlocksLow: highBlocks?.length === 1,
  };
}

/** What conversations.send_state says of a pair. */
export function sendStateOf({ friends, lowBlocksHigh, highBlocksLow }: Standing): SendState {
  if (lowBlocksHigh || highBlocksLow) return sendState.blocked;
  return friends ? sendState.open : sendState.notFriends;
}

/** Locks the head of the pair's single conversation, if they have one. Its id, or undefined. */
export async function lockSingleConversation(tx: Sql, pair: Pair): Promise<number | undefined> {
  const [found] = await tx.query<{ id: number }>(
    // conversations_single
    'SELECT id FROM conversations WHERE single_key = ?',
    [pair.key],
  );
  if (!found) return undefined;
  await tx.query('SELECT 1 FROM conversation_heads WHERE conversation_id = ? FOR UPDATE', [found.id]);
  return found.id;
}

/** Brings send_state in line with what the transaction made of the pair. */
export async function storeSendState(tx: Sql, pair: Pair, conversationId: number | undefined): Promise<void> {
  if (conversationId === undefined) return;
  await tx.execute('UPDATE conversations SET send_state = ? WHERE id = ?', [
    sendStateOf(await readStanding(tx, pair)),
    conversationId,
  ]);
}
