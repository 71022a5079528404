import type { Database } from '../../../services/repo/storage/database.ts';
import type { Databases } from '../../../services/repo/storage/databases.ts';
import type { StormConversation } from './participants.ts';

export type StoredMessage = {
  seqId: number;
  messageId: number;
  senderId: string;
  clientMsgId: string;
  content: string;
};

/** The state of a conversation in the database, read without im-repo. */
export type StoredState = {
  /** The messages of the storm, ascending by seq id. */
  stored: StoredMessage[];
  /** The same messages by seq id. */
  bySeq: ReadonlyMap<number, StoredMessage>;
  head: { seqId: number; messageId: number };
  /** The last message id of the conversations row, by which the conversation list is sorted. */
  lastMessageId: number;
  /** Read pointers by user id. */
  readPointers: ReadonlyMap<string, number>;
};

type Row = { seq_id: number; id: number; sender_id: number; client_msg_id: Buffer; content: string };
type HeadRow = { last_seq_id: number; last_message_id: number | null; projected: number | null };

/** Reads the state of every conversation of a storm from the database. */
export async function readStoredStates(
  databases: Databases,
  conversations: readonly StormConversation[],
): Promise<Map<string, StoredState>> {
  const states = new Map<string, StoredState>();
  for (const conversation of conversations)
    states.set(conversation.id, await readOne(databases.messagesOf(conversation.id), conversation));
  return states;
}

async function readOne(database: Database, { id, head }: StormConversation): Promise<StoredState> {
  const rows = await database.query<Row>(
    'SELECT seq_id, id, sender_id, client_msg_id, content FROM messages WHERE conversation_id = ? AND seq_id > ? ORDER BY seq_id',
    [id, head],
  );
  const [heads] = await database.query<HeadRow>(
    `SELECT h.last_seq_id, h.last_message_id, c.last_message_id AS projected
     FROM conversation_heads h JOIN conversations c ON c.id = h.conversation_id WHERE h.conversation_id = ?`,
    [id],
  );
  const pointers = await database.query<{ user_id: number; last_read_seq_id: number }>(
    'SELECT user_id, last_read_seq_id FROM user_read_pointers WHERE conversation_id = ?',
    [id],
  );
  const stored = rows.map((row) => ({
    seqId: row.seq_id,
    messageId: row.id,
    senderId: String(row.sender_id),
    clientMsgId: row.client_msg_id.toString(),
    content: row.content,
  }));
  return {
    stored,
    bySeq: new Map(stored.map((message) => [message.seqId, message])),
    head: { seqId: heads?.last_seq_id ?? 0, messageId: heads?.last_message_id ?? 0 },
    lastMessageId: heads?.projected ?? 0,
    readPointers: new Map(pointers.map((row) => [String(row.user_id), row.last_read_seq_id])),
  };
}
