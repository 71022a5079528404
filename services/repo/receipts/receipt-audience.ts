import { conversationType, sendState } from '../../../lib/domain/enumerations.ts';
import { limits } from '../../../lib/domain/limits.ts';
import { defaultUserSettings } from '../../../lib/domain/user-settings.ts';
import type { Reading } from '../cache/cache.ts';
import { readUserBlocks } from '../rows/user-blocks.ts';
import type { Databases } from '../storage/database.ts';
import type { UserSettingsReader } from '../users/user-settings.ts';

/**
 * Who is told how far a member has read, and sees it in the list of members: in conversations of up to `limits.directMembers`, unless it is a
 * single one that is closed; the others are in no block with the reader, and both let reading be told. One's own
 * sessions are always told.
 */

/** Whoever read more messages at once tells every member: their senders are not searched for. */
export const mostSearched = 1000;

type Place = { type: number; send_state: number; member_count: number };

/** Whether a conversation is one where others are told at all. */
export const hasReceipts = ({ type, send_state, member_count }: Place): boolean =>
  member_count <= limits.directMembers && (type !== conversationType.single || send_state === sendState.open);

/** The same in SQL, of the row under an alias. */
export const hasReceiptsSql = (conversation: string): string =>
  `(${conversation}.member_count <= ${limits.directMembers}
    AND (${conversation}.type <> ${conversationType.single} OR ${conversation}.send_state = ${sendState.open}))`;

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

export type ReceiptAudience = {
  /**
   * Which of these others are told what each reader has read, in conversations that have receipts. It comes out of this
   * process's memory where nobody changed it. In a single conversation that is open nobody blocked.
   */
  of(
    reads: readonly { readerId: string; otherIds: string[]; single: boolean }[],
    from: CacheReading,
  ): Promise<string[][]>;
};

export type CacheReading = Pick<Reading, 'read'>;

export function createReceiptAudience(deps: {
  databases: Databases;
  userSettings: UserSettingsReader;
}): ReceiptAudience {
  const { databases, userSettings } = deps;
  return {
    async of(reads, from) {
      const asked = reads.filter(({ otherIds }) => otherIds.length > 0);
      if (asked.length === 0) return reads.map(() => []);
      const among = asked.filter(({ single }) => !single).map(({ readerId }) => readerId);
      const [settings, blocks] = await Promise.all([
        userSettings.byIds(
          asked.flatMap(({ readerId, otherIds }) => [readerId, ...otherIds]),
          from,
        ),
        readUserBlocks({ databases, from }, among),
      ]);
      const lets = (userId: string) => settings.get(userId)?.readReceipts === true;
      return reads.map(({ readerId, otherIds, single }) => {
        if (otherIds.length === 0 || !lets(readerId)) return [];
        if (single) return otherIds.filter(lets);
        const { userIds = [], isWhole = false } = blocks.get(readerId) ?? {};
        if (!isWhole) return [];
        const blocked = new Set(userIds);
        return otherIds.filter((userId) => lets(userId) && !blocked.has(userId));
      });
    },
  };
}
