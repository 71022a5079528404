import { LRUCache } from 'lru-cache';
import type { FanoutTask } from '../../lib/records/records.ts';

/** Why a wait ended: there is work, there was none until the idle timeout, or the activity must end. */
export type WaitResult = 'work' | 'idle' | 'ended';

export type LiveConversation = {
  /** The highest seq id known to be stored. */
  target(): number;
  seen(lastSeqId: number): void;
  /** Resolves when the target is above `done`. On 'idle' the conversation is no longer among the live ones. */
  wait(done: number, idleMs: number): Promise<WaitResult>;
  /** Removes and returns the tasks whose messages are all delivered. */
  takeCovered(done: number): FanoutTask[];
  /** True if the activity must stop before it produces another record. */
  ended(): boolean;
  end(): void;
  leave(): void;
};

export type LiveConversations = ReturnType<typeof createLiveConversations>;

/** Conversations without an activity whose tasks are kept for the next activity. */
const maxWaitingConversations = 1000;
const maxTasksPerConversation = 2000;

/**
 * The conversations whose streaming activity runs in this process. The task consumer wakes them in memory, in under a
 * millisecond; it sends a signal through Temporal only for a conversation that is not live here.
 */
export function createLiveConversations() {
  const live = new Map<string, { conversation: LiveConversation; add: (task: FanoutTask) => void }>();
  const waiting = new LRUCache<string, FanoutTask[]>({ max: maxWaitingConversations });
  let draining = false;

  function open(conversationId: string): LiveConversation {
    const tasks = waiting.get(conversationId) ?? [];
    waiting.delete(conversationId);
    let target = 0;
    let ended = draining;
    let wake: (() => void) | undefined;

    const seen = (lastSeqId: number) => {
      if (lastSeqId <= target) return;
      target = lastSeqId;
      wake?.();
    };
    const conversation: LiveConversation = {
      target: () => target,
      seen,
      wait: (done, idleMs) =>
        new Promise((resolve) => {
          const settle = (result: WaitResult) => {
            clearTimeout(timer);
            wake = undefined;
            // Leave in the same turn: a wake-up that still finds the conversation here would be lost.
            if (result === 'idle') conversation.leave();
            resolve(result);
          };
          const timer = setTimeout(settle, idleMs, 'idle');
          wake = () => {
            if (ended) settle('ended');
            else if (target > done) settle('work');
          };
          wake();
        }),
      takeCovered(done) {
        const covered = tasks.filter((task) => task.last_seq_id <= done);
        if (covered.length > 0)
          tasks.splice(0, tasks.length, ...tasks.filter((task) => task.last_seq_id > done));
        return covered;
      },
      ended: () => ended,
      end() {
        ended = true;
        wake?.();
      },
      leave() {
        if (live.get(conversationId)?.conversation === conversation) live.delete(conversationId);
      },
    };
    const add = (task: FanoutTask) => {
      tasks.push(task);
      if (tasks.length > maxTasksPerConversation) tasks.shift();
      seen(task.last_seq_id);
    };
    live.set(conversationId, { conversation, add });
    for (const task of tasks) seen(task.last_seq_id);
    return conversation;
  }

  return {
    /** Makes a conversation live here. Ends an earlier attempt in this process, whose heartbeats were lost. */
    enter(conversationId: string): LiveConversation {
      live.get(conversationId)?.conversation.end();
      return open(conversationId);
    },

    /** Hands over a task. False if the conversation is not live here: the task is kept for its next activity. */
    wake(task: FanoutTask): boolean {
      const entry = live.get(task.conversation_id);
      if (entry) {
        entry.add(task);
        return true;
      }
      const tasks = waiting.get(task.conversation_id) ?? [];
      tasks.push(task);
      if (tasks.length > maxTasksPerConversation) tasks.shift();
      waiting.set(task.conversation_id, tasks);
      return false;
    },

    ids: () => [...live.keys()],
    size: () => live.size,

    /** Hands over the head of a conversation, as the poll has read it. */
    seen: (conversationId: string, lastSeqId: number) =>
      live.get(conversationId)?.conversation.seen(lastSeqId),

    /** Ends every activity, present or later, at its next step. */
    drain(): void {
      draining = true;
      for (const { conversation } of live.values()) conversation.end();
    },
    draining: () => draining,
  };
}
