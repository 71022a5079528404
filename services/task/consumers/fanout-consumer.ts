import type { Client } from '@temporalio/client';
import { LRUCache } from 'lru-cache';
import type { LiveConversations } from '../../../activities/fanout-messages/live-conversations.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { FanoutTask } from '../../../lib/kafka/records.ts';
import type { ReceivedRecord } from '../../../lib/kafka/subscription.ts';
import { fanoutInput, fanoutMessages, fanoutStart } from '../../../workflows/fanout-messages/contract.ts';
import { askTemporal } from '../temporal/temporal-call.ts';

/**
 * A conversation is signalled once in this time. An activity that a signal leads to stays for 10 s after it last saw
 * work and looks at the head itself, so what comes shortly after a signal needs none of its own.
 */
const signalEveryMs = 1000;

/**
 * Turns fan-out tasks into work: a conversation that is live in this process is woken in memory; for any other one
 * its flow is signalled, or started. Rejects with UNAVAILABLE while Temporal is away: the tasks wait in Kafka.
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
  if (!valid) throw new GoChatError('INVALID_ARGUMENT', 'This is no fan-out task.');
  return { sent_at: Date.now(), ...task } as FanoutTask;
}
