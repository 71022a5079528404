import {
  bodyOf,
  extraFromRecord,
  extraToRecord,
  type MessageBody,
  type MessageExtra,
  noExtra,
  type RecordExtra,
} from '../../../lib/domain/message-body.ts';
import type { Message } from '../../../lib/gen/im_repo/v1/message.ts';
import type { User } from '../../../lib/gen/im_repo/v1/user.ts';
import type { FileLinks } from '../file-links/file-links.ts';
import { isTrue } from '../storage/sql.ts';
import { cardOf } from './user-cards.ts';

/** A stored message as the caches keep it, with the id of its sender instead of the user card. */
export type StoredMessage = MessageBody & {
  id: number;
  conversationId: string;
  seqId: number;
  senderId: string;
  /** If true, the content is empty. */
  deleted: boolean;
  createdAt: number;
  /** The number of its last change; absent if it never changed. */
  changeSeq?: number;
  editedAt?: number;
  /** Absent if there are none. */
  reactions?: StoredReaction[];
  pinned?: boolean;
};

/** All reactions to a message with one emoji. `userIds` are those who reacted first. */
export type StoredReaction = { emoji: string; count: number; userIds: string[] };

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
  /** 0 if it never changed. */
  change_seq: number;
  edited_at: number | null;
  pinned: number;
  /** JSON, as `StoredReaction[]`. */
  reactions: string | null;
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
  'change_seq',
  'edited_at',
  'pinned',
  'reactions',
];

/** The columns of `MessageRow`, prefixed with a table alias if one is given. */
export const messageColumns = (alias = ''): string =>
  columns.map((column) => (alias ? `${alias}.${column}` : column)).join(', ');

export function fromMessageRow(row: MessageRow): StoredMessage {
  const deleted = isTrue(row.deleted);
  return {
    id: row.id,
    conversationId: String(row.conversation_id),
    seqId: row.seq_id,
    senderId: String(row.sender_id),
    messageType: row.message_type,
    content: deleted ? '' : row.content,
    clientMsgId: row.client_msg_id.toString('utf8'),
    ...(row.extra === null ? {} : extraFromRecord(JSON.parse(row.extra) as RecordExtra)),
    deleted,
    createdAt: row.created_at,
    ...(row.change_seq === 0 ? {} : { changeSeq: row.change_seq }),
    ...(row.edited_at === null ? {} : { editedAt: row.edited_at }),
    ...(row.reactions === null ? {} : { reactions: JSON.parse(row.reactions) as StoredReaction[] }),
    ...(isTrue(row.pinned) ? { pinned: true } : {}),
  };
}

/** The value of the column messages.extra, or null if the message has no extra fields. */
export function messageExtra(message: MessageExtra): string | null {
  const extra = extraToRecord(message);
  return Object.keys(extra).length === 0 ? null : JSON.stringify(extra);
}

/** The value of the column messages.reactions. */
export const reactionsColumn = (reactions: readonly StoredReaction[]): string | null =>
  reactions.length === 0 ? null : JSON.stringify(reactions);

/** A message as callers get it: with its sender, and with signed addresses of uploaded files. */
export const toMessage = (
  message: StoredMessage,
  senders: ReadonlyMap<string, User>,
  links: FileLinks,
): Message => ({
  id: message.id,
  conversationId: message.conversationId,
  seqId: message.seqId,
  sender: cardOf(senders, message.senderId),
  ...noExtra,
  ...bodyOf(message),
  content: links.content(message.messageType, message.content),
  deleted: message.deleted,
  createdAt: message.createdAt,
  changeSeq: message.changeSeq ?? 0,
  editedAt: message.editedAt,
  reactions: message.reactions ?? [],
  pinned: message.pinned ?? false,
});
