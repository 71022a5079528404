import type { RepoClient } from '../../lib/grpc/clients.ts';
import type { History } from '../world/world.ts';
import { type Caller, isRefusal } from './calls.ts';
import { upload } from './upload.ts';

const importDeadlineMs = 30_000;
const text = 1;

/**
 * Uploads the files and stores what was said with its times and senders, then the reactions to it and how far everybody has read. Does nothing
 * in a conversation where somebody has talked already.
 */
export function createHistories({
  repo,
  callerAt,
  source,
  now,
}: {
  repo: RepoClient;
  callerAt(person: number): Caller;
  /** Names the world, so that nothing is imported twice. */
  source: string;
  now: number;
}) {
  async function importMessages(
    conversationId: string,
    { messages }: History,
  ): Promise<number[] | undefined> {
    const files = new Map<number, Awaited<ReturnType<typeof upload>>>();
    for (const [index, { file, sender }] of messages.entries()) {
      if (file) files.set(index, await upload(callerAt(sender), file));
    }
    try {
      const { results } = await repo.messages.importMessages(
        {
          conversationId,
          source,
          messages: messages.map(({ sender, text: content, replyTo, mentions = [], age }, index) => ({
            sourceId: `${conversationId} ${index}`,
            senderId: callerAt(sender).id,
            ...(files.get(index) ?? { messageType: text, content }),
            replyToSeqId: replyTo,
            mentions: mentions.map((mentioned) => callerAt(mentioned).id),
            createdAt: now - age,
          })),
        },
        { deadlineMs: importDeadlineMs },
      );
      return results.map(({ messageId }) => Number(messageId));
    } catch (error) {
      // im-repo imports only into conversations without messages from elsewhere.
      if (isRefusal(error, 'PERMISSION_DENIED')) return undefined;
      throw error;
    }
  }

  return async (conversationId: string, history: History, owner?: number): Promise<void> => {
    const ids = await importMessages(conversationId, history);
    if (!ids) return;
    const path = (seqId: number) => ({ id: conversationId, messageId: String(ids[seqId - 1]) });
    for (const { seqId, person, emoji } of history.reactions) {
      await callerAt(person).api('PUT /conversations/{id}/messages/{messageId}/reactions/{emoji}', {
        path: { ...path(seqId), emoji },
      });
    }
    for (const [person, seqId] of history.reads) {
      if (seqId === 0) continue;
      await callerAt(person).api('PUT /conversations/{id}/read', {
        path: { id: conversationId },
        body: { seqId },
      });
    }
    if (history.pinned !== undefined && owner !== undefined)
      await callerAt(owner).api('PUT /conversations/{id}/pins/{messageId}', { path: path(history.pinned) });
  };
}
