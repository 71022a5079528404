import type { Message } from '../../../lib/gen/im_repo/v1/message.ts';
import type { User } from '../../../lib/gen/im_repo/v1/user.ts';
import { isTrue } from '../storage/sql.ts';
import { cardOf } from './user-cards.ts';

/** A stored message as caches keep it: its sender by id. */
export type StoredMessage = {
  id: number;
  conversationId: string;
  seqId: number;
  senderId: string;
  messageType: number;
  /** Empty once deleted. */
  content: string;
  clientMsgId: string;
  replyToSeqId?: number;
  mentions?: string[];
  deleted: boolean;
  createdAt: number;
};

export type MessageRow = {
  conversation_id: number;
  seq_id: number;
  id: number;
  sender_id: number;
  message_type: number;
  content: string;
  client_msg_id: Buffer;
  deleted: number;
  extra: string | null;
  created_at: number;
};

const columns = [
  'conversation_id',
  'seq_id',
  'id',
  'sender_id',
  'message_type',
  'content',
  'client_msg_id',
  'deleted',
  'extra',
  'created_at',
];

/** The columns of MessageRow, of a table alias if need be. */
export const messageColumns = (alias = ''): string =>
  columns.map((column) => (alias ? `${alias}.${column}` : column)).join(', ');

export function fromMessageRow(row: MessageRow): StoredMessage {
  const extra = row.extra ? (JSON.parse(row.extra) as MessageExtra) : {};
  const deleted = isTrue(row.deleted);
  return {
    id: row.id,
    conversationId: String(row.conversation_id),
    seqId: row.seq_id,
    senderId: String(row.sender_id),
    messageType: row.message_type,
    content: deleted ? '' : row.content,
    clientMsgId: row.client_msg_id.toString('utf8'),
    ...(extra.reply_to_seq_id === undefined ? {} : { replyToSeqId: extra.reply_to_seq_id }),
    ...(extra.mentions === undefined ? {} : { mentions: extra.mentions }),
    deleted,
    createdAt: row.created_at,
  };
}

type MessageExtra = { reply_to_seq_id?: number; mentions?: string[] };

/** What goes into messages.extra; null when there is nothing to say. */
export function messageExtra(message: {
  replyToSeqId?: number | undefined;
  mentions: readonly string[];
}): string | null {
  const extra: MessageExtra = {};
  if (message.replyToSeqId !== undefined) extra.reply_to_seq_id = message.replyToSeqId;
  if (message.mentions.length > 0) extra.mentions = [...message.mentions];
  return Object.keys(extra).length === 0 ? null : JSON.stringify(extra);
}

export const toMessage = (message: StoredMessage, senders: ReadonlyMap<string, User>): Message => ({
  id: message.id,
  conversationId: message.conversationId,
  seqId: message.seqId,
  sender: cardOf(senders, message.senderId),
  messageType: message.messageType,
  content: message.content,
  clientMsgId: message.clientMsgId,
  replyToSeqId: message.replyToSeqId,
  mentions: message.mentions ?? [],
  deleted: message.deleted,
  createdAt: message.createdAt,
});
