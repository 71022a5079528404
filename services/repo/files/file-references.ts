import { type FileId, fileIdText, parseFilePath } from '../../../lib/domain/addresses.ts';
import { noteProjection, pendingProjection } from '../projections/projections.ts';
import { formatSql } from '../storage/database.ts';

/**
 * A message, or the picture of a conversation, refers to a file. The rows lie with the conversation and change in its
 * transactions. The file lies with its owner and learns afterwards that something stopped referring to it.
 */
export type FileReference = { conversationId: number; seqId: number; file: FileId };

/** The `seqId` of the picture of a conversation: no message has this number. */
export const pictureSeqId = 0;

/** The kinds of projections. A recalled file goes at once, an unused one only after a while. */
export const fileRecalled = 'file-recalled';
export const fileUnused = 'file-unused';

export const insertReferences = (references: readonly FileReference[]): string[] =>
  references.length === 0
    ? []
    : [
        `INSERT IGNORE INTO file_references (conversation_id, seq_id, owner_id, file_id) VALUES ${references.map(
          ({ conversationId, seqId, file }) => `(${conversationId},${seqId},${file.ownerId},${file.number})`,
        )}`,
      ];

export const selectReferences = (conversationId: number, seqIds: readonly number[]): string =>
  // Index: the primary key.
  formatSql('SELECT owner_id, file_id FROM file_references WHERE conversation_id = ? AND seq_id IN (?)', [
    conversationId,
    seqIds,
  ]);

export type ReferenceRow = { owner_id: number; file_id: number };

export const filesOf = (rows: readonly ReferenceRow[]): FileId[] =>
  rows.map(({ owner_id, file_id }) => ({ ownerId: owner_id, number: file_id }));

/** Deletes references, and notes that the files may have lost the last thing that refers to them. */
export const deleteReferences = (
  kind: typeof fileRecalled | typeof fileUnused,
  conversationId: number,
  seqIds: readonly number[],
  files: readonly FileId[],
): string[] =>
  files.length === 0
    ? []
    : [
        formatSql('DELETE FROM file_references WHERE conversation_id = ? AND seq_id IN (?)', [
          conversationId,
          seqIds,
        ]),
        ...files.map((file) => noteProjection(pendingProjection(kind, fileIdText(file)), 0)),
      ];

/** The reference of a conversation's picture follows its address, which may be empty or elsewhere. */
export function changePicture(conversationId: number, before: string, after: string): string[] {
  if (before === after) return [];
  const old = parseFilePath(before)?.file;
  const next = parseFilePath(after)?.file;
  return [
    ...deleteReferences(fileUnused, conversationId, [pictureSeqId], old ? [old] : []),
    ...insertReferences(next ? [{ conversationId, seqId: pictureSeqId, file: next }] : []),
  ];
}
