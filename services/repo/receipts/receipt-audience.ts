import { conversationType, sendState } from '../../../lib/domain/enumerations.ts';
import { limits } from '../../../lib/domain/limits.ts';
import type { Reading } from '../cache/cache.ts';
import { readUserBlocks } from '../rows/user-blocks.ts';
import type { Databases } from '../storage/databases.ts';
import type { UserSettingsReader } from '../users/user-settings.ts';

/**
 * Decides which other users may know how far a reader has read, in read receipts and in the member list. The
 * conversation has at most `limits.directMembers` members and is not a closed single conversation; neither of the two
 * users blocked the other; and both have the setting `readReceipts` on. The reader's own sessions always know.
 */

/**
 * If a user reads more messages than this at once, the senders are not searched for: every member who may know it gets
 * the read receipt.
 */
export const maxSearchedMessages = 1000;

type Place = { type: number; send_state: number; member_count: number };

/** True if the conversation has read receipts at all. */
export const hasReceipts = ({ type, send_state, member_count }: Place): boolean =>
  member_count <= limits.directMembers && (type !== conversationType.single || send_state === sendState.open);

export type ReceiptAudience = {
  /**
   * For each read, in order: the ids out of `otherIds` that get the reader's receipt. The caller passes only
   * conversations that have receipts. Unchanged settings and blocks come from this process's memory. Blocks are not
   * looked up for a single conversation: while it is open, neither user blocked the other.
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
      const withOthers = reads.filter(({ otherIds }) => otherIds.length > 0);
      if (withOthers.length === 0) return reads.map(() => []);
      const groupReaderIds = withOthers.filter(({ single }) => !single).map(({ readerId }) => readerId);
      const [settings, blocks] = await Promise.all([
        userSettings.byIds(
          withOthers.flatMap(({ readerId, otherIds }) => [readerId, ...otherIds]),
          from,
        ),
        readUserBlocks({ databases, from }, groupReaderIds),
      ]);
      const allowsReceipts = (userId: string) => settings.get(userId)?.readReceipts === true;
      return reads.map(({ readerId, otherIds, single }) => {
        if (otherIds.length === 0 || !allowsReceipts(readerId)) return [];
        if (single) return otherIds.filter(allowsReceipts);
        const { userIds = [], isWhole = false } = blocks.get(readerId) ?? {};
        // An incomplete list of blocks can't rule a block out.
        if (!isWhole) return [];
        const blocked = new Set(userIds);
        return otherIds.filter((userId) => allowsReceipts(userId) && !blocked.has(userId));
      });
    },
  };
}
