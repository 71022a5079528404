import { conversationType, fanoutMode } from '../../../lib/domain/enumerations.ts';
import { bodyOf } from '../../../lib/domain/message-body.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type {
  SavedMessage,
  SaveMessagesRequest,
  SaveMessagesResponse,
  StoredBatch,
} from '../../../lib/gen/im_repo/v1/message.ts';
import type { Histogram, Metrics } from '../../../lib/metrics.ts';
import type { Cache } from '../cache/cache.ts';
import { unavailable } from '../connections/database-errors.ts';
import type { FileLinks } from '../file-links/file-links.ts';
import type { FileAccess } from '../files/file-access.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { RecentSenders } from '../receipts/recent-senders.ts';
import { type ConversationHead, conversationHead, headKey } from '../rows/conversation-head.ts';
import { unreadKey } from '../rows/read-pointer-cache.ts';
import type { Database, ReadToken } from '../storage/database.ts';
import type { Databases } from '../storage/databases.ts';
import type { Ids } from '../storage/ids.ts';
import { tokenOf } from '../storage/replicas.ts';
import type { BatchRecipients } from './batch-recipients.ts';
import { type Draft, readDraft } from './message-draft.ts';
import { addContents, refuseUnreadable, withFiles } from './message-files.ts';
import { planSave, refusedBy, type SavePlan, type SaveState } from './message-plan.ts';
import {
  findArchived,
  hasNoSource,
  mayBeArchived,
  readState,
  readStatements,
  writeStatements,
} from './message-save-sql.ts';
import { planReads, type Read, toSenderRead } from './sender-reads.ts';
import { createShardSaves } from './shard-saves.ts';

export type MessageSaveDeps = {
  databases: Databases;
  ids: Pick<Ids, 'nextId'>;
  cache: Cache;
  recentSenders: RecentSenders;
  batchRecipients: BatchRecipients;
  outbox: Outbox;
  access: FileAccess;
  links: FileLinks;
  /** The time of each stage of storing a batch. */
  stageDuration: Histogram<'stage'>;
  metrics: Metrics;
};

export type SaveMessages = (request: SaveMessagesRequest) => Promise<SaveMessagesResponse>;

const maxBatch = 1000;
const none: ReadonlyMap<number, SavedMessage> = new Map();

/**
 * Stores a batch: one transaction per shard, of two round trips, for any number of messages. Each message gets its own
 * result; where there are several databases, UNAVAILABLE if the shard does not answer. If a transaction fails
 * otherwise, the call fails, and the caller has to find the message at fault.
 */
export function createMessageSave(deps: MessageSaveDeps): SaveMessages {
  const { batchRecipients, stageDuration } = deps;
  const saveShards = createShardSaves<Draft, Saved>({
    tolerant: deps.databases.all.length > 1,
    save: (database, some) => saveShard(deps, database, some),
    onLate: ({ endChange }) => endChange(),
  });
  const batchSize = deps.metrics.size('gochat_save_batch_messages', 'Messages stored by one call.');

  return async ({ messages, recipientsOf, storedOnly }) => {
    // Callers of earlier versions ask for recipients this way, instead of by ResolveRecipients. It is not a save and
    // not measured as one.
    if (messages.length === 0) {
      const { recipients } = await batchRecipients({ queries: recipientsOf, stored: [] });
      return { results: [], recipients: [], senders: [], queried: recipients, stored: [] };
    }
    if (messages.length > maxBatch) {
      throw new GoChatError('INVALID_ARGUMENT', `A batch has at most ${maxBatch} messages.`);
    }
    if (storedOnly && recipientsOf.length > 0) {
      throw new GoChatError('INVALID_ARGUMENT', 'recipientsOf is not answered with storedOnly.');
    }
    const results = new Map<number, SavedMessage>();
    const valid: Draft[] = [];
    messages.forEach((message, index) => {
      try {
        valid.push(readDraft(message, index));
      } catch (error) {
        if (!(error instanceof GoChatError)) throw error;
        results.set(index, refusedBy(error));
      }
    });

    const attaching = withFiles(valid);
    const unreadable = attaching.length === 0 ? none : await refuseUnreadable(deps.access, attaching);
    for (const [index, result] of unreadable) results.set(index, result);
    const drafts = unreadable.size === 0 ? valid : valid.filter(({ index }) => !unreadable.has(index));

    const stopSaving = stageDuration.startTimer({ stage: 'save' });
    const { done: shards, refused } = await saveShards(
      deps.databases.byShard(drafts, ({ conversationId }) => conversationId),
    );
    stopSaving();
    batchSize.observe(messages.length);
    for (const { index } of refused) results.set(index, refusedBy(unavailable()));
    for (const { plan } of shards) for (const [index, result] of plan.results) results.set(index, result);
    addContents(attaching, results, deps.links);
    const stored = shards.flatMap(storedBatches);
    const ordered = messages.map((_, index) => resultAt(results, index));
    // Readers do not use the cached heads before this ends, so that nobody has to wait for it. It never rejects.
    const ending = Promise.all(shards.map(({ endChange }) => endChange()));
    if (storedOnly) return { results: ordered, recipients: [], senders: [], queried: [], stored };

    const resolved = await batchRecipients({ queries: recipientsOf, stored });
    await ending;
    for (const { index, userIds } of resolved.readReceipts) resultAt(results, index).readFor = userIds;
    return {
      results: ordered,
      recipients: resolved.storedRecipients,
      senders: resolved.senders,
      queried: resolved.recipients,
      stored: [],
    };
  };
}

type Saved = {
  plan: SavePlan;
  state: SaveState;
  reads: Read[];
  endChange: () => Promise<void>;
};

async function saveShard(
  deps: MessageSaveDeps,
  database: Database,
  drafts: readonly Draft[],
): Promise<Saved> {
  const change = deps.cache.begin();
  const touched = change.touch(keysOf(drafts));
  const statements = readStatements(drafts);
  try {
    const { plan, state, reads, token } = await database.transaction(async (tx) => {
      const [results] = await Promise.all([tx.batch(statements), touched]);
      const read = readState(results);
      if (mayBeArchived(read)) await findArchived(tx, drafts, read);
      const planned = planSave(drafts, read, deps.ids.nextId, Date.now());
      const plannedReads = planReads(drafts, read, planned, deps.recentSenders);
      const stored = { plan: planned, state: read, reads: plannedReads, token: undefined };
      if (planned.rows.length === 0) return stored;
      const tokenStatement = database.replicas?.tokenStatement();
      const written = await tx.batchAndCommit(writeStatements(planned), tokenStatement);
      return tokenStatement ? { ...stored, token: tokenOf(written.at(-1)) } : stored;
    });
    noteSenders(deps.recentSenders, plan);
    if (plan.rows.some(({ draft }) => hasNoSource(draft))) deps.outbox.wake();
    return {
      plan,
      state,
      reads,
      endChange: () => change.end({ kind: conversationHead, values: newHeads(plan, state, token) }),
    };
  } catch (error) {
    await touched;
    await change.end();
    throw error;
  }
}

function noteSenders(recentSenders: RecentSenders, plan: SavePlan): void {
  for (const [conversationId, rows] of Map.groupBy(plan.rows, ({ draft }) => draft.conversationId)) {
    const senderIds = rows.map(({ draft }) => draft.senderId);
    recentSenders.note(conversationId, rows[0]?.seqId ?? 0, senderIds);
  }
}

const keysOf = (drafts: readonly Draft[]): string[] => [
  ...new Set(drafts.flatMap(({ message }) => [headKey(message.conversationId), unreadKey(message.senderId)])),
];

function storedBatches({ plan, state, reads }: Saved): StoredBatch[] {
  const readsOf = Map.groupBy(reads, ({ conversationId }) => conversationId);
  return [...plan.delivered].flatMap(([id, senders]) => {
    const head = plan.changedHeads.get(id) ?? state.heads.get(id);
    const conversation = state.conversations.get(id);
    if (!head || !conversation) return [];
    return {
      conversationId: String(id),
      memberVersion: head.member_version,
      world: conversation.type === conversationType.world,
      single: conversation.type === conversationType.single,
      fanout: head.fanout_mode === fanoutMode.on,
      direct: plan.direct.has(id),
      reads: (readsOf.get(id) ?? []).map(toSenderRead),
      senderIds: Array.from(senders, String),
    };
  });
}

/** The new cached heads by cache key. A conversation's last message in the batch overwrites the earlier ones. */
function newHeads(
  plan: SavePlan,
  state: SaveState,
  token: ReadToken | undefined,
): Map<string, ConversationHead> {
  const values = new Map<string, ConversationHead>();
  for (const { draft, id, seqId } of plan.rows) {
    const { message } = draft;
    const updatedAt = Math.max(
      state.conversations.get(draft.conversationId)?.updated_at ?? 0,
      plan.createdAt,
    );
    values.set(headKey(message.conversationId), {
      lastSeqId: seqId,
      lastMessageId: id,
      lastChangeSeq: state.heads.get(draft.conversationId)?.last_change_seq ?? 0,
      updatedAt,
      lastMessage: {
        id,
        conversationId: message.conversationId,
        seqId,
        senderId: message.senderId,
        ...bodyOf(message),
        deleted: false,
        createdAt: plan.createdAt,
      },
      ...(token === undefined ? {} : { token }),
    });
  }
  return values;
}

function resultAt(results: ReadonlyMap<number, SavedMessage>, index: number): SavedMessage {
  const result = results.get(index);
  if (!result) throw new Error(`message ${index} of the batch has no result`);
  return result;
}
