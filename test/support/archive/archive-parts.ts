// Room: what tests of archived messages need. No assertions may come in.

import { createArchiveHandlers } from '../../../services/repo/archive/archive.ts';
import { bucketOf } from '../../../services/repo/storage/buckets.ts';
import { createConversationParts } from '../repo/conversation-parts.ts';
import { openRepoParts } from '../repo/open-repo.ts';
import type { RepoPartsOptions } from '../repo/repo-parts.ts';

export type ArchiveRepo = Awaited<ReturnType<typeof openArchiveRepo>>;

/** Repo's handlers with those of the archive, and what tests of archived messages need. */
export async function openArchiveRepo(options: RepoPartsOptions = {}) {
  const { redis, parts } = await openRepoParts(options);
  const repo = createConversationParts(parts);
  const settings = { url: '', afterDays: 180, keepNewest: 200, graceHours: 24 };
  const archive = createArchiveHandlers({ ...repo, store: repo.coldStore, settings });
  const rowsOf = async (conversationId: string) => {
    const rows = await repo.databases
      .messagesOf(conversationId)
      .query<{ seq_id: number }>('SELECT seq_id FROM messages WHERE conversation_id = ? ORDER BY seq_id', [
        Number(conversationId),
      ]);
    return rows.map(({ seq_id }) => seq_id);
  };

  return {
    redis,
    repo: {
      ...repo,
      archive,
      /** The seq ids that have a row in the database. */
      rowsOf,

      /** Archives all messages of a conversation but the newest ones. */
      async archiveOf(conversationId: string, keepNewest = 1, before = Date.now() + 1) {
        const done = { messages: 0, objects: 0 };
        for (;;) {
          const request = { conversationIds: [conversationId], before, keepNewest };
          const part = await archive.archiveMessages(request);
          done.messages += part.messages;
          done.objects += part.objects;
          if (!part.more) return done;
        }
      },

      /** Deletes archived messages from the database. */
      async deleteArchived(conversationId = '') {
        const done = { deleted: 0, kept: 0 };
        for (;;) {
          const part = await archive.deleteArchivedMessages({ archivedBefore: Date.now(), conversationId });
          done.deleted += part.deleted;
          done.kept += part.kept;
          if (!part.more) return done;
        }
      },

      /** Moves all messages of a conversation but the newest ones out of the database. */
      async moveOut(conversationId: string, keepNewest = 1) {
        const { messages } = await this.archiveOf(conversationId, keepNewest);
        return { archived: messages, ...(await this.deleteArchived(conversationId)) };
      },

      /** Rewrites the objects with changed messages. */
      async compact(which: { conversationId?: string; userId?: string } = {}) {
        let objects = 0;
        let afterObjectId = '';
        for (;;) {
          const { objectId } = await archive.compactArchive({
            changedBefore: Date.now(),
            conversationId: '',
            userId: '',
            ...which,
            afterObjectId,
          });
          if (objectId === '') return objects;
          objects += 1;
          afterObjectId = objectId;
        }
      },

      bucketOf: (conversationId: string) => bucketOf(Number(conversationId)),

      /** Every kind of page, as it is answered. */
      async pagesOf(userId: string, conversationId: string, lastSeqId: number) {
        const bounds: object[] = [{}];
        for (const seqId of [0, 1, 2, 3, lastSeqId - 2, lastSeqId - 1, lastSeqId, lastSeqId + 1]) {
          bounds.push({ beforeSeqId: seqId }, { afterSeqId: seqId }, { aroundSeqId: seqId });
        }
        const pages = [];
        for (const bound of bounds) {
          for (const limit of [1, 2, 3, 50]) {
            pages.push({
              bound,
              limit,
              page: await repo.messages.getMessages({ userId, conversationId, limit, ...bound }),
            });
          }
        }
        return pages;
      },
    },
  };
}
