import type { Client } from '@temporalio/client';
import { LRUCache } from 'lru-cache';
import type { LiveConversations } from '../../../activities/fanout-messages/live-conversations.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { ReceivedRecord } from '../../../lib/kafka/subscription.ts';
import type { FanoutTask } from '../../../lib/records/records.ts';
import { fanoutInput, fanoutMessages, fanoutStart } from '../../../workflows/fanout-messages/contract.ts';
import { askTemporal } from '../temporal/temporal-call.ts';

/**
 * Minimum interval of signals per conversation. A signal starts an activity that runs until it has had no work for 10 s
 * and reads the head itself, so tasks that arrive shortly after a signal need no further signal.
 */
const signalEveryMs = 1000;

/**
 * Wakes the delivery of conversations that have fan-out tasks: in memory if the conversation has an activity in this
 * process, else by a signal to its flow, which also starts the flow. Rejects with UNAVAILABLE while Temporal is down:
 * the tasks wait in Kafka.
 */
export function createFanoutConsumer(deps: { live: LiveConversations; client: () => Client | undefined }) {
  const { live } = deps;
  const signalled = new LRUCache<string, true>({ max: 10_000, ttl: signalEveryMs });

  async function signal(conversationId: string): Promise<void> {
    await askTemporal(deps.client(), (client) =>
      client.workflow.signalWithStart(fanoutMessages.workflowType, {
        ...fanoutStart(conversationId),
        signal: fanoutMessages.wake,
      }),
    );
    signalled.set(conversationId, true);
  }

  return async function handle(records: ReceivedRecord[]): Promise<void> {
    const absent = new Set<string>();
    for (const record of records) {
      const task = parseTask(record.value);
      if (!live.wake(task)) absent.add(task.conversation_id);
    }
    const toSignal = [...absent].filter((id) => !signalled.has(id));
    await Promise.all(toSignal.map(signal));
  };
}

function parseTask(value: unknown): FanoutTask {
  const task = value as Partial<FanoutTask> | null;
  const valid =
    fanoutInput.complaints({ conversationId: task?.conversation_id }, 'it').length === 0 &&
    Number.isSafeInteger(task?.first_seq_id) &&
    Number.isSafeInteger(task?.last_seq_id);
  if (!valid) throw new GoChatError('INVALID_ARGUMENT', 'The record is no fan-out task.');
  return { sent_at: Date.now(), ...task } as FanoutTask;
}
