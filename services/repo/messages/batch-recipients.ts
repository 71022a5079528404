import { parseId } from '../../../lib/domain/ids.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type {
  ResolveRecipientsRequest,
  ResolveRecipientsResponse,
  StoredBatch,
} from '../../../lib/gen/im_repo/v1/message.ts';
import type { Logger } from '../../../lib/log.ts';
import type { Histogram } from '../../../lib/metrics.ts';
import type { Cache, Reading } from '../cache/cache.ts';
import type { ReceiptAudience } from '../receipts/receipt-audience.ts';
import type { ResolveRecipients } from '../recipients/recipients.ts';
import type { UserCards } from '../rows/user-cards.ts';
import type { Databases } from '../storage/databases.ts';
import { fromSenderRead } from './sender-reads.ts';
import { createSenderReceipts, type ShardReads } from './sender-receipts.ts';

export type BatchRecipientsDeps = {
  databases: Databases;
  cache: Cache;
  userCards: UserCards;
  recipients: ResolveRecipients;
  receipts: ReceiptAudience;
  /** The time of each stage of storing a batch. */
  stageDuration: Histogram<'stage'>;
  log: Logger;
};

export type BatchRecipients = (request: ResolveRecipientsRequest) => Promise<ResolveRecipientsResponse>;

/**
 * Finds who gets the messages that a batch stored, who gets read receipts because of them, and the profiles of the
 * senders; and who gets events of conversations. All requests to Redis leave in one write.
 */
export function createBatchRecipients(deps: BatchRecipientsDeps): BatchRecipients {
  const { databases, cache, userCards, recipients } = deps;
  const receipts = createSenderReceipts(deps);
  const isApart = !databases.shards.includes(databases.users);

  /** The senders' cards. Where conversations have databases of their own, those of accounts need not answer for all. */
  async function sendersOf(stored: readonly StoredBatch[], from: Reading) {
    const ids = new Set(stored.flatMap(({ senderIds }) => senderIds));
    if (!isApart) return { cards: await userCards.byIds(ids, from), unavailable: false };
    return userCards.known(ids, from);
  }

  return async ({ queries, stored }) => {
    if (stored.length === 0) {
      return {
        recipients: await recipients.ofQueries(queries),
        storedRecipients: [],
        senders: [],
        readReceipts: [],
      };
    }
    const stopTimer = deps.stageDuration.startTimer({ stage: 'recipients' });
    const resolving = recipients.ofMessages(stored);
    const reading = cache.reading();
    const [storedRecipients, readFor, queried, senders] = await Promise.all([
      resolving,
      receipts.of(byDatabase(databases, stored), resolving, reading),
      queries.length === 0 ? [] : recipients.ofQueries(queries),
      reading.then((from) => sendersOf(stored, from)),
    ]);
    stopTimer();
    return {
      recipients: queried,
      storedRecipients,
      senders: [...senders.cards.values()],
      readReceipts: Array.from(readFor, ([index, userIds]) => ({ index, userIds })),
      ...(senders.unavailable ? { sendersUnavailable: true } : {}),
    };
  };
}

const byDatabase = (databases: Databases, stored: readonly StoredBatch[]): ShardReads[] =>
  Array.from(
    databases.byShard(stored, ({ conversationId }) => conversationId),
    ([database, batches]) => ({
      database,
      reads: batches.flatMap(({ conversationId, single, reads }) =>
        reads.map((read) => ({ ...fromSenderRead(read, idOf(conversationId)), single })),
      ),
    }),
  );

function idOf(conversationId: string): number {
  const id = parseId(conversationId);
  if (id === undefined) throw new GoChatError('INVALID_ARGUMENT', 'stored.conversationId is not an id.');
  return id;
}
