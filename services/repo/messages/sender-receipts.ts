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
   * The ids of the users who get a read receipt because a message moved its sender's read pointer, by the message's
   * index in the batch. The messages are stored already, so a lookup never fails them or delays their acknowledgements
   * for long: if it fails, or takes more than `graceMs` longer than the recipients' lookup, nobody gets a receipt.
   */
  of(
    shards: readonly ShardReads[],
    resolving: Promise<Recipients[]>,
    reading: Promise<CacheReading>,
  ): Promise<Map<number, string[]>>;
};

/** How much longer than the recipients' lookup this lookup may take. */
const graceMs = 100;
/** The bound of lookups in flight, of which each is for one batch. A lookup continues after its deadline. */
const maxRunning = 8;

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
      // If the senders of the newly read messages are not known, every online member may get the receipt.
      const everyone = reads.some(({ senderIds }) => !senderIds) ? onlineMembers(await resolving) : nobody;
      const notified = await receipts.of(
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
      return new Map(reads.map(({ index }, at) => [index, notified[at] ?? []]));
    } catch (error) {
      log.warn({ err: error }, 'cannot look up who gets read receipts for sent messages; nobody gets them');
      return new Map();
    } finally {
      running -= 1;
    }
  }

  return {
    async of(shards, resolving, reading) {
      if (shards.every(({ reads }) => reads.length === 0)) return new Map();
      if (running >= maxRunning) {
        log.warn(
          { running },
          'too many lookups of read receipts for sent messages are in flight; nobody gets these receipts',
        );
        return new Map();
      }
      const lookup = lookUp(shards, resolving, reading);
      // The deadline starts when the recipients are known, since the save waits for them in any case.
      await resolving;
      return withDeadline(lookup, graceMs, () => {
        log.warn('the lookup of read receipts for sent messages took too long; nobody gets them');
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
