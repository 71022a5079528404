import type { Refusal } from '../contracts/refusal.ts';
import { taskQueues } from '../contracts/task-queues.ts';
import { exactly, list, messageId, name, optional, userId } from '../input/shapes.ts';

/** What the command line gives. */
export type ModerateConversationInput = {
  conversationId: string;
  /** Ids of messages. */
  recall?: number[] | undefined;
  /** Ids of users, members or not. */
  mute?: string[] | undefined;
  unmute?: string[] | undefined;
};

export type ModerateConversationResult =
  | {
      ok: true;
      /** Without what had been recalled, or muted, before. */
      recalled: number;
      muted: number;
      unmuted: number;
      /** None of the conversation's. */
      unknownMessages: number[];
      /** Nobody's. */
      unknownUsers: string[];
    }
  | Refusal;

export const moderateConversation = {
  workflowType: 'moderateConversation',
  taskQueue: taskQueues.maintenance,
} as const;

/** What the start must give. */
export const moderateConversationInput = exactly<ModerateConversationInput>({
  conversationId: name,
  recall: optional(list(messageId)),
  mute: optional(list(userId)),
  unmute: optional(list(userId)),
});
