import { type MessageRow, messageColumns } from '../rows/message-rows.ts';
import type { SqlValue } from '../storage/sql.ts';

/** A row of messages as objects hold it: with the position of its upstream record. */
export type ArchivedMessage = MessageRow & { source_partition: number; source_offset: number };

export const archivedColumns = (alias = ''): string =>
  `${messageColumns(alias)}, ${alias && `${alias}.`}source_partition, ${alias && `${alias}.`}source_offset`;

/** The values of `archivedColumns`. */
export const archivedValues = (row: ArchivedMessage): SqlValue[] => [
  row.conversation_id,
  row.seq_id,
  row.id,
  row.sender_id,
  row.message_type,
  row.content,
  row.client_msg_id,
  row.deleted,
  row.extra,
  row.created_at,
  row.change_seq,
  row.edited_at,
  row.pinned,
  row.reactions,
  row.source_partition,
  row.source_offset,
];

/** True if all columns of two rows are equal. */
export function isSameMessage(a: ArchivedMessage, b: ArchivedMessage): boolean {
  return (
    a.conversation_id === b.conversation_id &&
    a.seq_id === b.seq_id &&
    a.id === b.id &&
    a.sender_id === b.sender_id &&
    a.message_type === b.message_type &&
    a.content === b.content &&
    a.client_msg_id.equals(b.client_msg_id) &&
    a.deleted === b.deleted &&
    a.extra === b.extra &&
    a.created_at === b.created_at &&
    a.change_seq === b.change_seq &&
    a.edited_at === b.edited_at &&
    a.pinned === b.pinned &&
    a.reactions === b.reactions &&
    a.source_partition === b.source_partition &&
    a.source_offset === b.source_offset
  );
}
