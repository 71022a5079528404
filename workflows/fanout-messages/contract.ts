import { signal } from '../contracts/definitions.ts';
import { taskQueues } from '../contracts/task-queues.ts';
import { name, object } from '../input/shapes.ts';

export type FanoutArgs = { conversationId: string };

export const fanoutMessages = {
  workflowType: 'fanoutMessages',
  /** There are messages beyond what was fanned out. */
  wake: signal('wake'),
} as const;

export const fanoutId = (conversationId: string): string => `fanout/${conversationId}`;

/** How signal-with-start wakes the fan-out of a conversation, or starts it. */
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

/** What the start must give. */
export const fanoutInput = object<FanoutArgs>({ conversationId: name });
