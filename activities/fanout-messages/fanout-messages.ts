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

/** The conversation type of the room that everyone is in. */
/**
 * An activity without work for this long ends. Another start costs ten state transitions of its flow, staying costs one
 * in three seconds.
 */
const defaultIdleMs = 10_000;
/** Below the activity's startToCloseTimeout of an hour. */
const longestMs = 50 * 60_000;
const firstDelayMs = 1000;
const longestDelayMs = 30_000;
/** Messages passed on together. */
const batchSize = 200;
/** Member pages asked for at once, of all conversations. */
const pagesAtOnce = 8;

export type FanoutResult = {
  /** Everything up to this seq was passed on. */
  done: number;
  /** The activity ended early: another one has to go on at once. */
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
  const delivery = createDelivery({ repo, produce: deps.produce, limit: pLimit(pagesAtOnce) });
  const latency = metrics.latency(
    'gochat_fanout_latency_seconds',
    'From the receipt of a message to its delivery records.',
    ['path'],
  );
  latency.zero({ path: 'workflow' });
  const passedOn = metrics.counter(
    'gochat_fanout_messages_total',
    'Messages that the fan-out flow passed on.',
  );

  /**
   * How far the conversation is, as long as its messages take this way. Undefined once they don't (it is dissolved, or small
   * enough for direct delivery, which takes over only from a finished fan-out): then it is not live any more.
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
      // Somebody told of a later message meanwhile: it may take this way again.
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
    const until = Date.now() + longestMs;
    conversation.seen(known.lastSeqId);
    conversation.takeCovered(done);
    /** All that was known of is passed on and perhaps stored as such: from there messages may have gone directly. */
    const mayHaveLeft = ({ type, lastSeqId, fanoutDoneSeq }: FanoutProgress) =>
      type !== conversationType.world && lastSeqId <= done && Math.max(fanoutDoneSeq, stored.asked()) >= done;

    while (!conversation.ended() && Date.now() < until) {
      if (conversation.target() <= done) {
        if ((await conversation.wait(done, idleMs)) !== 'idle') continue;
        // It is live no more: whatever comes from here on signals the flow, which starts the next activity.
        await stored.flush();
        return { done, more: false };
      }
      if (mayHaveLeft(known)) {
        known = await readProgress(conversationId, conversation);
        if (!known) return { done, more: false };
        // What went directly before it came back to this way is not passed on again.
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
      passedOn.inc(messages.length);
      for (const task of conversation.takeCovered(done)) {
        latency.observe({ path: 'workflow' }, Math.max(0, Date.now() - task.sent_at) / 1000);
      }
    }
    await stored.flush();
    return { done, more: true };
  }

  return {
    /**
     * Passes a conversation's messages on to its members while they come. Starts after what im-repo and the last
     * heartbeat say is done; ends after 10 s without work, or early with `more`.
     */
    async streamFanout({ conversationId }: { conversationId: string }): Promise<FanoutResult> {
      const conversation = live.enter(conversationId);
      const pulse = createPulse(conversation.end);
      const stored = createStoredProgress(repo, conversationId, conversation.seen);
      try {
        return await stream(conversationId, conversation, pulse, stored);
      } catch (error) {
        throw triedAgainLater(error, Context.current().info.attempt);
      } finally {
        conversation.leave();
        pulse.stop();
        stored.stop();
      }
    },
  };
}

/**
 * Temporal starts the activity anew after a second, since that is what a process that died needs. What fails while all
 * processes live waits longer each time.
 */
function triedAgainLater(error: unknown, attempt: number): unknown {
  if (error instanceof ApplicationFailure && error.nonRetryable) return error;
  return ApplicationFailure.create({
    message: error instanceof Error ? error.message : String(error),
    ...(error instanceof ApplicationFailure && error.type ? { type: error.type } : {}),
    nextRetryDelay: Math.min(longestDelayMs, firstDelayMs * 2 ** (attempt - 1)),
  });
}
