import { bodyFromRecord, noExtra } from '../../../lib/domain/message-body.ts';
import { type Code, codeFromNumber, GoChatError, isRetryable } from '../../../lib/errors.ts';
import type {
  NewMessage,
  RecipientQuery,
  Recipients,
  ResolveRecipientsResponse,
  SavedMessage,
  SaveMessagesResponse,
} from '../../../lib/gen/im_repo/v1/message.ts';
import type { User } from '../../../lib/gen/im_repo/v1/user.ts';
import type { RepoClient } from '../../../lib/grpc/clients.ts';
import type { OrderedFrame, UpstreamMessage } from '../../../lib/records/records.ts';
import { mustBeDelivered } from '../../../lib/records/saved-message.ts';
import type { Item } from './item.ts';
import type { RefusedMessages } from './refused-messages.ts';

/** The result of an item that is done. */
export type Done =
  | {
      kind: 'saved';
      item: Item;
      message: UpstreamMessage;
      saved: SavedMessage;
      sender: User | undefined;
      recipients: Recipients | undefined;
    }
  | { kind: 'refused'; item: Item; message: UpstreamMessage; code: Code; text: string }
  | { kind: 'event'; item: Item; event: OrderedFrame; recipients: Recipients | undefined }
  | { kind: 'dead'; item: Item; reason: string; message?: UpstreamMessage };

/**
 * The database that the item concerns does not answer, while others do. `stored`: the item must not be given up, since
 * it is stored and not delivered, or is an event. If it is processed again, im-repo recognises it by its source.
 */
export type Waiting = { kind: 'waiting'; item: Item; stored: boolean };

export type Outcome = Done | Waiting;

/** Items whose messages are stored. */
export type Batch = {
  /** One outcome per item, in order. Recipients and senders are not known yet. */
  readonly stored: Outcome[];
  /** Finds the recipients and senders. Answers one outcome per item, in order. Rejects if the call fails. */
  resolve(): Promise<Outcome[]>;
};

/** Stores items in one call. Rejects if the call fails. */
export type Save = (items: Item[]) => Promise<Batch>;

const deadlineMs = 10_000;

export type SavingMessages = Pick<RepoClient['messages'], 'saveMessages' | 'resolveRecipients'>;

export function createSave(messages: SavingMessages, refused: Pick<RefusedMessages, 'offsetsOf'>): Save {
  return async (items) => {
    const toStore = items.flatMap(({ content, partition, offset }) =>
      content.kind === 'message'
        ? [newMessage(content.message, partition, offset, refused.offsetsOf(content.message))]
        : [],
    );
    const { results, stored } =
      toStore.length === 0
        ? nothingStored
        : await messages.saveMessages(
            { messages: toStore, recipientsOf: [], storedOnly: true },
            { deadlineMs },
          );
    const outcomes = outcomesOf(items, results);
    return {
      stored: outcomes,
      async resolve() {
        const queries = queriesOf(items);
        if (queries.length === 0 && stored.length === 0) return outcomes;
        return withRecipients(
          outcomes,
          await messages.resolveRecipients({ queries, stored }, { deadlineMs }),
        );
      },
    };
  };
}

const nothingStored: Pick<SaveMessagesResponse, 'results' | 'stored'> = { results: [], stored: [] };
const queriesOf = (items: readonly Item[]): RecipientQuery[] =>
  items.flatMap(({ content }) =>
    content.kind === 'event'
      ? [{ conversationId: content.event.conversation_id, extraUserIds: content.event.extra_user_ids }]
      : [],
  );

/** True if a save failed because of its items, so that a retry with the same items is pointless. */
export const isFinal = (error: unknown): boolean => error instanceof GoChatError && !isRetryable(error.code);

/** The batch of an item that cannot be processed. */
export function deadBatch(item: Item, error: unknown): Batch {
  const stored = [deadOutcome(item, error)];
  return { stored, resolve: async () => stored };
}

function deadOutcome(item: Item, error: unknown): Outcome {
  const { content } = item;
  const reason = error instanceof Error ? error.message : String(error);
  switch (content.kind) {
    case 'message':
    case 'refused':
      return { kind: 'dead', item, reason, message: content.message };
    case 'event':
      return { kind: 'dead', item, reason };
    case 'malformed':
      return { kind: 'dead', item, reason: content.reason };
  }
}

const newMessage = (
  message: UpstreamMessage,
  partition: number,
  offset: number,
  refused: readonly number[] | undefined,
): NewMessage => ({
  conversationId: message.conversation_id,
  senderId: message.user_id,
  ...noExtra,
  ...bodyFromRecord(message),
  sourcePartition: partition,
  sourceOffset: offset,
  refused: refused && { offsets: [...refused] },
});

function outcomesOf(items: readonly Item[], results: readonly SavedMessage[]): Outcome[] {
  let nextResult = 0;
  return items.map((item): Outcome => {
    const { content } = item;
    if (content.kind === 'event') return { kind: 'event', item, event: content.event, recipients: undefined };
    if (content.kind !== 'message') return localOutcome(item);
    const { message } = content;
    const saved = results[nextResult++];
    if (!saved) throw new Error('im-repo answered fewer results than messages');
    const code = codeFromNumber(saved.error);
    if (code === 'UNAVAILABLE') return { kind: 'waiting', item, stored: false };
    if (code) return { kind: 'refused', item, message, code, text: saved.errorMessage };
    return { kind: 'saved', item, message, saved, sender: undefined, recipients: undefined };
  });
}

/** Adds what ResolveRecipients answers: it counts events by queries, and messages by their place in the batch. */
function withRecipients(outcomes: readonly Outcome[], resolved: ResolveRecipientsResponse): Outcome[] {
  const recipients = new Map(resolved.storedRecipients.map((one) => [one.conversationId, one]));
  const senders = new Map(resolved.senders.map((user) => [user.id, user]));
  const readFor = new Map(resolved.readReceipts.map(({ index, userIds }) => [index, userIds]));
  let nextMessage = 0;
  let nextQuery = 0;
  return outcomes.map((outcome): Outcome => {
    const { item } = outcome;
    if (outcome.kind === 'event') {
      const found = resolved.recipients[nextQuery++];
      return found?.unavailable ? { kind: 'waiting', item, stored: true } : { ...outcome, recipients: found };
    }
    if (item.content.kind !== 'message') return outcome;
    const told = readFor.get(nextMessage++);
    if (outcome.kind !== 'saved') return outcome;
    const { message, saved } = outcome;
    const to = recipients.get(message.conversation_id);
    const sender = senders.get(message.user_id);
    const isUnknown = to?.unavailable || (!sender && resolved.sendersUnavailable);
    if (isUnknown && mustBeDelivered(saved)) return { kind: 'waiting', item, stored: true };
    return { ...outcome, saved: told ? { ...saved, readFor: told } : saved, sender, recipients: to };
  });
}

/** The outcome of an item that needs no call of im-repo. */
function localOutcome(item: Item): Outcome {
  const { content } = item;
  if (content.kind === 'refused') {
    const { message, error } = content;
    return { kind: 'refused', item, message, code: error.code, text: error.message };
  }
  return deadOutcome(item, 'not stored');
}
