import type { Recipients } from '../../../lib/gen/im_repo/v1/message.ts';
import type { FanoutTask } from '../../../lib/records/records.ts';

/** A message stored in a conversation too large for direct delivery. */
export type FanoutMessage = {
  conversationId: string;
  seqId: number;
  receivedAt: number;
};

/**
 * True if messages go directly to the members' gateways (up to 500 members), false if the fan-out flow delivers them
 * (larger groups and the world room). im-repo decides this under the lock of the conversation's head, so that the two
 * kinds of delivery never overlap in one conversation.
 */
export const goesDirect = (recipients: Recipients): boolean => !recipients.fanout;

/** Builds one task per run of consecutive seq ids of a conversation, in the order of the messages. */
export function fanoutTasks(messages: readonly FanoutMessage[]): FanoutTask[] {
  const tasks: FanoutTask[] = [];
  const open = new Map<string, FanoutTask>();
  for (const { conversationId, seqId, receivedAt } of messages) {
    let run = open.get(conversationId);
    if (run && seqId === run.last_seq_id + 1) {
      run.last_seq_id = seqId;
    } else {
      run = {
        conversation_id: conversationId,
        first_seq_id: seqId,
        last_seq_id: seqId,
        sent_at: receivedAt,
      };
      open.set(conversationId, run);
      tasks.push(run);
    }
  }
  return tasks;
}
