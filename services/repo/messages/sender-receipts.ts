import { withDeadline } from '../../../lib/async/deadline.ts';
import type { Recipients } from '../../../lib/gen/im_repo/v1/message.ts';
import type { Logger } from '../../../lib/log.ts';
import type { CacheReading, ReceiptAudience } from '../receipts/receipt-audience.ts';
import type { Database } from '../storage/database.ts';
import { findSenders, type Read } from './sender-reads.ts';

/** The reads of one shard's batch. */
export type ShardReads = { database: Database; reads: readonly (Read & { single: boolean })[] };

export type SenderReceipts = {
  /**
   * Whom each message that moves its sender's pointer tells, by its index in the batch. What is stored is stored: a lookup
   * that fails, or that takes longer than the recipients' and a moment, tells nobody and holds no acknowledgement up.
   */
  of(
    shards: readonly ShardReads[],
    resolving: Promise<Recipients[]>,
    reading: Promise<CacheReading>,
  ): Promise<Map<number, string[]>>;
};

/** Longer than the recipients' lookup may take by this much. */
const graceMs = 100;
/** Lookups that nobody waits for any more may go on: no more of them than this many batches'. */
const mostRunning = 8;

export function createSenderReceipts(deps: { receipts: ReceiptAudience; log: Logger }): SenderReceipts {
  const { receipts, log } = deps;
  let running = 0;

  async function lookUp(
    shards: readonly ShardReads[],
    resolving: Promise<Recipients[]>,
    reading: Promise<CacheReading>,
  ): Promise<Map<number, string[]>> {
    running += 1;
    try {
      await Promise.all(shards.map(({ database, reads }) => findSenders(database, reads)));
      const reads = shards.flatMap((shard) => shard.reads);
      // Where it is not known whose messages were newly read, every member that is online is told.
      const everyone = reads.some(({ senderIds }) => !senderIds) ? onlineMembers(await resolving) : nobody;
      const told = await receipts.of(
        reads.map(({ readerId, conversationId, senderIds, single }) => ({
          readerId: String(readerId),
          otherIds: (senderIds
            ? [...senderIds].map(String)
            : (everyone.get(String(conversationId)) ?? [])
          ).filter((userId) => userId !== String(readerId)),
          single,
        })),
        await reading,
      );
      return new Map(reads.map(({ index }, at) => [index, told[at] ?? []]));
    } catch (error) {
      log.warn({ err: error }, 'cannot find out whom sending tells that it was reading; nobody is told');
      return new Map();
    } finally {
      running -= 1;
    }
  }

  return {
    async of(shards, resolving, reading) {
      if (shards.every(({ reads }) => reads.length === 0)) return new Map();
      if (running >= mostRunning) {
        log.warn(
          { running },
          'too many slow lookups of whom sending tells that it was reading; nobody is told',
        );
        return new Map();
      }
      const told = lookUp(shards, resolving, reading);
      // Its time begins when the recipients are there: they are waited for in any case.
      await resolving;
      return withDeadline(told, graceMs, () => {
        log.warn('whom sending tells that it was reading took too long to find; nobody is told');
        return new Map();
      });
    },
  };
}

const nobody: ReadonlyMap<string, string[]> = new Map();

const onlineMembers = (recipients: readonly Recipients[]): Map<string, string[]> =>
  new Map(
    recipients.map(({ conversationId, gateways }) => [
      conversationId,
      [...new Set(gateways.flatMap(({ userIds }) => userIds))],
    ]),
  );
