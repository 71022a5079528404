import type { SavedMessage } from '../../../lib/gen/im_repo/v1/message.ts';
import type { FileLinks } from '../file-links/file-links.ts';
import { type FileAccess, unreadable } from '../files/file-access.ts';
import { type FileReference, insertReferences } from '../files/file-references.ts';
import type { Draft } from './message-draft.ts';
import { type NewRow, refusedBy } from './message-plan.ts';

/** The drafts that refer to uploaded files. Most batches have none and cost nothing more. */
export const withFiles = (drafts: readonly Draft[]): Draft[] =>
  drafts.filter(({ files }) => files.length > 0);

/** The results of drafts that refer to files which their senders may not read, by the draft's index. */
export async function refuseUnreadable(
  access: FileAccess,
  drafts: readonly Draft[],
): Promise<Map<number, SavedMessage>> {
  const wanted = drafts.flatMap((draft) =>
    draft.files.map((file) => ({ index: draft.index, userId: draft.senderId, file })),
  );
  const readable = await access.readable(wanted);
  const refused = wanted.filter((_, at) => !readable[at]);
  return new Map(refused.map(({ index }) => [index, refusedBy(unreadable('content.url'))]));
}

/** The statement that notes what new messages refer to; none if they refer to nothing. */
export const referencesOf = (rows: readonly NewRow[]): string[] =>
  insertReferences(
    rows.flatMap(({ draft: { conversationId, files }, seqId }): FileReference[] =>
      files.length === 0 ? [] : files.map((file) => ({ conversationId, seqId, file })),
    ),
  );

/** Adds the content to deliver to the results of stored messages that refer to files. */
export function addContents(
  drafts: readonly Draft[],
  results: ReadonlyMap<number, SavedMessage>,
  links: FileLinks,
): void {
  for (const { index, message } of drafts) {
    const result = results.get(index);
    if (result?.error === 0) result.content = links.content(message.messageType, message.content);
  }
}
