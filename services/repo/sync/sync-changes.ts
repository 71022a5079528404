import { chunks } from '../../../lib/chunks.ts';
import type { ChangedMessage } from '../../../lib/gen/im_repo/v1/conversation.ts';
import type { ColdMessages } from '../cold/cold-messages.ts';
import type { FileLinks } from '../file-links/file-links.ts';
import { fromMessageRow, type MessageRow, messageColumns, toMessage } from '../rows/message-rows.ts';
import type { UserCards } from '../rows/user-cards.ts';
import type { Database } from '../storage/database.ts';
import type { Databases } from '../storage/databases.ts';
import type { SyncRow } from './sync-plan.ts';

/** The changes after `after`, of messages up to the seq id `upTo`: the client does not have later messages yet. */
type WantedChanges = { id: number; after: number; upTo: number };

type Changes = { changes: ChangedMessage[]; hasMore: boolean };
export const noChanges: Changes = { changes: [], hasMore: false };

const conversationsPerStatement = 5;
const changesPerConversation = 500;
/** The budget for the texts of changed messages, besides that of the answer's messages. */
const maxBytes = 512 * 1024;

/**
 * The conversations with changes after those that the client knows. `shown`: the last number that the answer shows of a
 * conversation, by its id; greater than that of its row if there was a change since the row was read.
 */
export const wantedChanges = (
  rows: readonly SyncRow[],
  shown: ReadonlyMap<number, number>,
  known: Readonly<Record<string, number>>,
): WantedChanges[] =>
  rows.flatMap(({ id, last_seq_id, last_change_seq }) => {
    const after = Object.hasOwn(known, String(id)) ? known[String(id)] : undefined;
    const last = Math.max(last_change_seq, shown.get(id) ?? 0);
    return after === undefined || after >= last ? [] : [{ id, after, upTo: last_seq_id }];
  });

/**
 * What the changed messages are now, ascending by the number of the change in each conversation. `hasMore`: not all of
 * them are in the answer; the client asks again with the greatest number that it got. A message that changes again
 * meanwhile gets a greater number, so a cut between two numbers loses nothing.
 */
export async function readChanges(
  deps: { databases: Databases; cold: ColdMessages; userCards: UserCards; links: FileLinks },
  wanted: readonly WantedChanges[],
  limit: number,
): Promise<Changes> {
  const { taken, hasMore } = await takeRows(deps, wanted, limit);
  const messages = taken.map(fromMessageRow);
  const senders = await deps.userCards.byIds(messages.map(({ senderId }) => senderId));
  const changes = messages.map((message) => ({
    conversationId: message.conversationId,
    changeSeq: message.changeSeq ?? 0,
    message: toMessage(message, senders, deps.links),
  }));
  return { changes, hasMore };
}

/** Takes changed messages until there are `limit`, or their texts use up the budget of bytes. */
async function takeRows(
  { databases, cold }: { databases: Databases; cold: ColdMessages },
  wanted: readonly WantedChanges[],
  limit: number,
): Promise<{ taken: MessageRow[]; hasMore: boolean }> {
  const taken: MessageRow[] = [];
  let bytes = 0;
  for (const [database, some] of databases.byShard(wanted, ({ id }) => id)) {
    for (const part of chunks(some, conversationsPerStatement)) {
      const most = Math.min(limit - taken.length, changesPerConversation);
      for (const rows of await readPages({ database, cold }, part, most + 1)) {
        for (const [index, row] of rows.entries()) {
          bytes += Buffer.byteLength(row.content) + (row.extra?.length ?? 0) + (row.reactions?.length ?? 0);
          const isFull = index === most || taken.length === limit || (bytes > maxBytes && taken.length > 0);
          if (isFull) return { taken, hasMore: true };
          taken.push(row);
        }
      }
    }
  }
  return { taken, hasMore: false };
}

/** The first changes of each conversation. */
async function readPages(
  { database, cold }: { database: Database; cold: ColdMessages },
  wanted: readonly WantedChanges[],
  limit: number,
): Promise<MessageRow[][]> {
  const pages = wanted.map(
    // Indexes: message_changes_change, and the primary key of messages.
    ({ id, after, upTo }) =>
      `(SELECT c.conversation_id AS changed_in, c.seq_id AS changed_seq, ${messageColumns('m')}
        FROM message_changes c
        LEFT JOIN messages m ON m.conversation_id = c.conversation_id AND m.seq_id = c.seq_id
        WHERE c.conversation_id = ${id} AND c.change_seq > ${after} AND c.seq_id <= ${upTo}
        ORDER BY c.change_seq LIMIT ${limit})`,
  );
  const rows = await database.query<ChangedRow>(pages.join(' UNION ALL '));
  const byConversation = Map.groupBy(rows, ({ changed_in }) => changed_in);
  return Promise.all(
    wanted.map(async ({ id }) => {
      const [present, absent] = divide(byConversation.get(id) ?? []);
      const archived = await cold.bySeqIds(
        id,
        absent.map(({ changed_seq }) => changed_seq),
      );
      return [...present, ...archived].sort((a, b) => a.change_seq - b.change_seq);
    }),
  );
}

/** A changed message; without the columns of messages if the message is archived. */
type ChangedRow = { changed_in: number; changed_seq: number } & (MessageRow | { id: null });

function divide(rows: readonly ChangedRow[]): [MessageRow[], ChangedRow[]] {
  return [rows.filter((row) => row.id !== null), rows.filter(({ id }) => id === null)];
}
