import { defaultUserSettings } from '../../lib/domain/user-settings.ts';
import { conversationType } from './conversation-lock.ts';

/**
 * Who is told how far a member has read, and sees it in the list of members: in conversations of up to 500, unless it is a
 * single one that is closed; the others are in no block with the reader, and both let reading be told. One's own
 * sessions are always told.
 */

/** Above this many members nobody else is told who has read. */
export const receiptMembers = 500;

type Place = { type: number; send_state: number; member_count: number };

/** Whether a conversation is one where others are told at all. */
export const hasReceipts = ({ type, send_state, member_count }: Place): boolean =>
  member_count <= receiptMembers && (type !== conversationType.single || send_state === 0);

/** The same in SQL, of the row under an alias. */
export const hasReceiptsSql = (conversation: string): string =>
  `(${conversation}.member_count <= ${receiptMembers}
    AND (${conversation}.type <> ${conversationType.single} OR ${conversation}.send_state = 0))`;

/** What `receiptsAllowed` looks at, by primary keys: `reader` and `other` are SQL for two users' ids. */
export const receiptJoins = (reader: string, other: string): string =>
  `LEFT JOIN user_blocks reader_blocks
     ON reader_blocks.user_id = ${reader} AND reader_blocks.blocked_id = ${other}
   LEFT JOIN user_blocks other_blocks
     ON other_blocks.user_id = ${other} AND other_blocks.blocked_id = ${reader}
   LEFT JOIN user_settings reader_settings ON reader_settings.user_id = ${reader}
   LEFT JOIN user_settings other_settings ON other_settings.user_id = ${other}`;

const allows = (settings: string): string =>
  `COALESCE(${settings}.read_receipts, ${defaultUserSettings.readReceipts ? 1 : 0}) = 1`;

/** Whether one of two users may know how far the other one has read. */
export const receiptsAllowed = `(reader_blocks.user_id IS NULL AND other_blocks.user_id IS NULL
   AND ${allows('reader_settings')} AND ${allows('other_settings')})`;
