import { bodyFromRecord, noExtra } from '../../../lib/domain/message-body.ts';
import { type Code, codeFromNumber, GoChatError, isRetryable } from '../../../lib/errors.ts';
import type {
  NewMessage,
  RecipientQuery,
  Recipients,
  SavedMessage,
  SaveMessagesResponse,
} from '../../../lib/gen/im_repo/v1/message.ts';
import type { User } from '../../../lib/gen/im_repo/v1/user.ts';
import type { RepoClient } from '../../../lib/grpc/clients.ts';
import type { OrderedFrame, UpstreamMessage } from '../../../lib/records/records.ts';
import type { Item } from './item.ts';

/** The result of an item. */
export type Outcome =
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

export type Save = (items: Item[]) => Promise<Outcome[]>;

const deadlineMs = 10_000;

export type SavingMessages = Pick<RepoClient['messages'], 'saveMessages' | 'resolveRecipients'>;

/** Stores items in one call, and answers one outcome per item, in order. Rejects if the call fails. */
export function createSave(messages: SavingMessages): Save {
  return async (items) => {
    const toStore: NewMessage[] = [];
    const queries: RecipientQuery[] = [];
    for (const { content, partition, offset } of items) {
      if (content.kind === 'message') toStore.push(newMessage(content.message, partition, offset));
      if (content.kind === 'event') {
        const { conversation_id, extra_user_ids } = content.event;
        queries.push({ conversationId: conversation_id, extraUserIds: extra_user_ids });
      }
    }
    if (toStore.length === 0 && queries.length === 0) return items.map((item) => localOutcome(item));
    if (toStore.length === 0) {
      const { recipients } = await messages.resolveRecipients({ queries }, { deadlineMs });
      return outcomesOf(items, { results: [], recipients: [], senders: [], queried: recipients });
    }
    const response = await messages.saveMessages(
      { messages: toStore, recipientsOf: queries },
      { deadlineMs },
    );
    return outcomesOf(items, response);
  };
}

/** True if a save failed because of its items, so that a retry with the same items is pointless. */
export const isFinal = (error: unknown): boolean => error instanceof GoChatError && !isRetryable(error.code);

/** The outcome of an item that cannot be processed. */
export function deadOutcome(item: Item, error: unknown): Outcome {
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

const newMessage = (message: UpstreamMessage, partition: number, offset: number): NewMessage => ({
  conversationId: message.conversation_id,
  senderId: message.user_id,
  ...noExtra,
  ...bodyFromRecord(message),
  sourcePartition: partition,
  sourceOffset: offset,
});

function outcomesOf(items: Item[], response: SaveMessagesResponse): Outcome[] {
  const recipients = new Map(response.recipients.map((one) => [one.conversationId, one]));
  const senders = new Map(response.senders.map((user) => [user.id, user]));
  let nextResult = 0;
  let nextQuery = 0;
  return items.map((item): Outcome => {
    const { content } = item;
    if (content.kind === 'event') {
      return { kind: 'event', item, event: content.event, recipients: response.queried[nextQuery++] };
    }
    if (content.kind !== 'message') return localOutcome(item);
    const { message } = content;
    const saved = response.results[nextResult++];
    if (!saved) throw new Error('im-repo answered fewer results than messages');
    const code = codeFromNumber(saved.error);
    if (code) return { kind: 'refused', item, message, code, text: saved.errorMessage };
    return {
      kind: 'saved',
      item,
      message,
      saved,
      sender: senders.get(message.user_id),
      recipients: recipients.get(message.conversation_id),
    };
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
