import type { Refusal } from '../contracts/refusal.ts';
import { taskQueues } from '../contracts/task-queues.ts';
import { exactly, list, messageId, name, optional, userId } from '../input/shapes.ts';

/** The input from the command line. */
export type ModerateConversationInput = {
  conversationId: string;
  /** Ids of the messages to recall. */
  recall?: number[] | undefined;
  /** Ids of the users to mute; they need not be members. */
  mute?: string[] | undefined;
  unmute?: string[] | undefined;
};

export type ModerateConversationResult =
  | {
      ok: true;
      /** The counts leave out messages that were recalled, and users that were muted, before. */
      recalled: number;
      muted: number;
      unmuted: number;
      /** Ids that belong to no message of the conversation. */
      unknownMessages: number[];
      /** Ids that belong to no user. */
      unknownUsers: string[];
    }
  | Refusal;

export const moderateConversation = {
  workflowType: 'moderateConversation',
  taskQueue: taskQueues.maintenance,
} as const;

/** The shape of the start arguments. */
export const moderateConversationInput = exactly<ModerateConversationInput>({
  conversationId: name,
  recall: optional(list(messageId)),
  mute: optional(list(userId)),
  unmute: optional(list(userId)),
});
