import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import pLimit from 'p-limit';
import { conversationType } from '../../lib/domain/enumerations.ts';
import type { FanoutProgress } from '../../lib/gen/im_repo/v1/conversation.ts';
import type { RepoClient } from '../../lib/grpc/clients.ts';
import type { GroupCommit } from '../../lib/kafka/group-commit.ts';
import type { Metrics } from '../../lib/metrics.ts';
import { orFailure } from '../outcome.ts';
import { createDelivery } from './delivery.ts';
import type { LiveConversation, LiveConversations } from './live-conversations.ts';
import { createStoredProgress, type StoredProgress } from './progress.ts';
import { createPulse, type Pulse } from './pulse.ts';

/**
 * The activity ends after this long without work. Starting it again costs ten state transitions of its workflow;
 * keeping it open costs one per three seconds.
 */
const defaultIdleMs = 10_000;
/** Below the activity's startToCloseTimeout of one hour. */
const maxDurationMs = 50 * 60_000;
const firstRetryDelayMs = 1000;
const maxRetryDelayMs = 30_000;
/** Messages per batch. */
const batchSize = 200;
/** Concurrent calls of resolveMemberPage, over all conversations of this process. */
const maxConcurrentPages = 8;

export type FanoutResult = {
  /** All messages up to this seq id are delivered. */
  done: number;
  /** True if the activity ended early: the workflow must start another one at once. */
  more: boolean;
};

/** The streaming activity of fanoutMessages. */
export function createFanoutMessagesActivities(deps: {
  repo: RepoClient;
  produce: GroupCommit['send'];
  live: LiveConversations;
  metrics: Metrics;
  idleMs?: number;
}) {
  const { repo, live, metrics, idleMs = defaultIdleMs } = deps;
  const delivery = createDelivery({ repo, produce: deps.produce, limit: pLimit(maxConcurrentPages) });
  const latency = metrics.latency(
    'gochat_fanout_latency_seconds',
    'From the receipt of a message to its delivery records.',
    ['path'],
  );
  latency.zero({ path: 'workflow' });
  const delivered = metrics.counter(
    'gochat_fanout_messages_total',
    'Messages that the fan-out flow passed on.',
  );

  /**
   * Reads the fan-out progress of the conversation. Undefined if this flow no longer delivers its messages: the
   * conversation is dissolved, or small enough for direct delivery, which takes over only after the fan-out has
   * caught up. In this case the conversation is removed from the live ones.
   */
  async function readProgress(
    conversationId: string,
    conversation: LiveConversation,
  ): Promise<FanoutProgress | undefined> {
    for (;;) {
      const { progress } = await orFailure(
        repo.conversations.getFanoutProgress({ conversationIds: [conversationId] }),
      );
      const [now] = progress;
      if (now && (now.type === conversationType.world || now.fanoutMode)) return now;
      // A task for a later message has arrived since the read: this flow may be responsible again.
      if (now && conversation.target() > now.lastSeqId) continue;
      conversation.leave();
      return undefined;
    }
  }

  async function stream(
    conversationId: string,
    conversation: LiveConversation,
    pulse: Pulse,
    stored: StoredProgress,
  ): Promise<FanoutResult> {
    let known = await readProgress(conversationId, conversation);
    if (!known) return { done: pulse.lastDone(), more: false };

    let done = Math.max(known.fanoutDoneSeq, pulse.lastDone());
    const until = Date.now() + maxDurationMs;
    conversation.seen(known.lastSeqId);
    conversation.takeCovered(done);
    /** True if all known messages are delivered and im-repo may know it: later ones may have been delivered directly. */
    const mayHaveSwitchedToDirect = ({ type, lastSeqId, fanoutDoneSeq }: FanoutProgress) =>
      type !== conversationType.world && lastSeqId <= done && Math.max(fanoutDoneSeq, stored.asked()) >= done;

    while (!conversation.ended() && Date.now() < until) {
      if (conversation.target() <= done) {
        if ((await conversation.wait(done, idleMs)) !== 'idle') continue;
        // The conversation is not live any more: the next message signals the workflow, which starts the next
        // activity.
        await stored.flush();
        return { done, more: false };
      }
      if (mayHaveSwitchedToDirect(known)) {
        known = await readProgress(conversationId, conversation);
        if (!known) return { done, more: false };
        // Skip the messages that were delivered directly before this flow became responsible again.
        done = Math.max(done, known.fanoutDoneSeq);
        conversation.takeCovered(done);
        if (conversation.target() <= done) continue;
      }
      const lastSeqId = Math.min(conversation.target(), done + batchSize);
      const { messages } = await orFailure(
        repo.messages.getMessageRange({ conversationId, firstSeqId: done + 1, lastSeqId }),
      );
      const last = messages.at(-1);
      if (!last) throw ApplicationFailure.retryable(`messages from seq ${done + 1} cannot be read yet`);

      pulse.assertAlive();
      if (known.type === conversationType.world) await delivery.toEveryone(messages);
      else await delivery.toMembers(conversationId, messages);

      done = last.seqId;
      pulse.beat(done);
      stored.set(done);
      delivered.inc(messages.length);
      for (const task of conversation.takeCovered(done)) {
        latency.observe({ path: 'workflow' }, Math.max(0, Date.now() - task.sent_at) / 1000);
      }
    }
    await stored.flush();
    return { done, more: true };
  }

  return {
    /**
     * Delivers the messages of a conversation to its members as they arrive. Starts after the last seq id that
     * im-repo or the last heartbeat names as delivered. Ends after 10 s without work, or early with `more`.
     */
    async streamFanout({ conversationId }: { conversationId: string }): Promise<FanoutResult> {
      const conversation = live.enter(conversationId);
      const pulse = createPulse(conversation.end);
      const stored = createStoredProgress(repo, conversationId, conversation.seen);
      try {
        return await stream(conversationId, conversation, pulse, stored);
      } catch (error) {
        throw withRetryDelay(error, Context.current().info.attempt);
      } finally {
        conversation.leave();
        pulse.stop();
        stored.stop();
      }
    },
  };
}

/**
 * The retry policy restarts the activity after one second, which is right when its process has died. An error in a
 * running process gets an exponential back-off instead.
 */
function withRetryDelay(error: unknown, attempt: number): unknown {
  if (error instanceof ApplicationFailure && error.nonRetryable) return error;
  return ApplicationFailure.create({
    message: error instanceof Error ? error.message : String(error),
    ...(error instanceof ApplicationFailure && error.type ? { type: error.type } : {}),
    nextRetryDelay: Math.min(maxRetryDelayMs, firstRetryDelayMs * 2 ** (attempt - 1)),
  });
}
