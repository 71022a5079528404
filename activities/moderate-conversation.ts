import { GoChatError } from '../lib/errors.ts';
import type { RepoClient } from '../lib/grpc/clients.ts';
import type { Refusal } from '../workflows/contracts/refusal.ts';
import { orRefusal } from './outcome.ts';

export type Recalled = { recalled: number; unknown: number[] };
export type Muted = { changed: number; unknown: string[] };

/** The steps of moderateConversation. Each step is idempotent: it skips what is done already. */
export function createModerateConversationActivities({ repo }: { repo: RepoClient }) {
  /** False if the conversation has no such message; undefined if the message is recalled already. */
  async function recall(conversationId: string, messageId: number): Promise<boolean | undefined> {
    try {
      const call = { actorId: '', conversationId, messageId, recallWindowMs: 0 };
      return (await repo.messages.deleteMessage(call)).deleted || undefined;
    } catch (error) {
      if (error instanceof GoChatError && error.code === 'MESSAGE_NOT_FOUND') return false;
      throw error;
    }
  }

  return {
    recallMessages: (input: {
      conversationId: string;
      messageIds: number[];
    }): Promise<({ ok: true } & Recalled) | Refusal> =>
      orRefusal(
        (async () => {
          const done: Recalled = { recalled: 0, unknown: [] };
          for (const messageId of input.messageIds) {
            const recalled = await recall(input.conversationId, messageId);
            if (recalled) done.recalled += 1;
            if (recalled === false) done.unknown.push(messageId);
          }
          return done;
        })(),
      ),

    muteMembers: (input: {
      conversationId: string;
      userIds: string[];
      muted: boolean;
    }): Promise<({ ok: true } & Muted) | Refusal> =>
      orRefusal(
        repo.conversations
          .muteMembers(input)
          .then(({ changed, unknown }) => ({ changed: changed.length, unknown })),
      ),
  };
}
