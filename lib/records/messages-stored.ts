import { hash } from 'node:crypto';
import type { MessagesStored } from './records.ts';

/** The key and the value of a record of gochat.messages.stored. */
export type StoredRecord = { key: string | null; value: string };

/**
 * Builds the record that says which messages were stored: for each conversation the runs of consecutive seq ids, in the
 * order of the messages. Undefined if there are none. The event id is derived from them: a batch that is stored again
 * after a failure, in the same parts, has the same event id.
 */
export function storedRecord(
  messages: Iterable<{ conversationId: string; seqId: number }>,
): StoredRecord | undefined {
  const conversations = runsOf(messages);
  if (conversations.length === 0) return undefined;
  return recordOfRanges(conversations, Date.now());
}

/** Builds the record of ranges of messages that were stored at a time, Unix milliseconds. */
export function recordOfRanges(conversations: MessagesStored['conversations'], at: number): StoredRecord {
  const record: MessagesStored = {
    event_id: `stored/${hash('sha256', JSON.stringify(conversations), 'base64url')}`,
    occurred_at: at,
    conversations,
  };
  const ids = new Set(conversations.map(({ conversation_id }) => conversation_id));
  const [id = null] = ids;
  return { key: ids.size === 1 ? id : null, value: JSON.stringify(record) };
}

function runsOf(
  messages: Iterable<{ conversationId: string; seqId: number }>,
): MessagesStored['conversations'] {
  const runs: MessagesStored['conversations'] = [];
  const open = new Map<string, MessagesStored['conversations'][number]>();
  for (const { conversationId, seqId } of messages) {
    const run = open.get(conversationId);
    if (run && seqId === run.last_seq_id + 1) {
      run.last_seq_id = seqId;
      continue;
    }
    const next = { conversation_id: conversationId, first_seq_id: seqId, last_seq_id: seqId };
    open.set(conversationId, next);
    runs.push(next);
  }
  return runs;
}
