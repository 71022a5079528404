import { signal } from '../contracts/definitions.ts';
import { taskQueues } from '../contracts/task-queues.ts';
import { name, object } from '../input/shapes.ts';

export type FanoutArgs = { conversationId: string };

export const fanoutMessages = {
  workflowType: 'fanoutMessages',
  /** The conversation has messages that are not fanned out yet. */
  wake: signal('wake'),
} as const;

export const fanoutId = (conversationId: string): string => `fanout/${conversationId}`;

/** Start options for signal-with-start, which wakes the fan-out of a conversation or starts it. */
export function fanoutStart(conversationId: string) {
  return {
    workflowId: fanoutId(conversationId),
    taskQueue: taskQueues.fanout,
    args: [{ conversationId }] as [FanoutArgs],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE' as const,
    searchAttributes: { ConversationId: [conversationId] },
    staticSummary: `Messages of conversation ${conversationId} to its members`,
  };
}

/** The shape of the start arguments. */
export const fanoutInput = object<FanoutArgs>({ conversationId: name });
