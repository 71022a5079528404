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

/**
 * Locks a pair until the end of the transaction by locking the rows of both users. It serializes all changes of their
 * requests, friendship, blocks and single conversation. It must be the first lock of a transaction, before the
 * conversation's head. Throws USER_NOT_FOUND unless both accounts exist.
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

/** Returns the value of conversations.send_state for a pair. */
export function sendStateOf({ friends, lowBlocksHigh, highBlocksLow }: Standing): SendState {
  if (lowBlocksHigh || highBlocksLow) return sendState.blocked;
  return friends ? sendState.open : sendState.notFriends;
}

/** Locks the head of the pair's single conversation. Returns its id, or undefined if there is none. */
export async function lockSingleConversation(tx: Sql, pair: Pair): Promise<number | undefined> {
  const [found] = await tx.query<{ id: number }>(
    // Index: conversations_single.
    'SELECT id FROM conversations WHERE single_key = ?',
    [pair.key],
  );
  if (!found) return undefined;
  await tx.query('SELECT 1 FROM conversation_heads WHERE conversation_id = ? FOR UPDATE', [found.id]);
  return found.id;
}

/** Updates send_state to match the pair's friendship and blocks in this transaction. */
export async function storeSendState(tx: Sql, pair: Pair, conversationId: number | undefined): Promise<void> {
  if (conversationId === undefined) return;
  await tx.execute('UPDATE conversations SET send_state = ? WHERE id = ?', [
    sendStateOf(await readStanding(tx, pair)),
    conversationId,
  ]);
}
