import { LRUCache } from 'lru-cache';
import type { FanoutTask } from '../../lib/kafka/records.ts';

/** Why a wait ended: there is work, there was none for long enough, or the activity has to end. */
export type WaitResult = 'work' | 'idle' | 'ended';

export type LiveConversation = {
  /** The highest seq id known to be stored. */
  target(): number;
  seen(lastSeqId: number): void;
  /** Resolves when the target is beyond `done`. On 'idle' the conversation has left the live ones already. */
  wait(done: number, idleMs: number): Promise<WaitResult>;
  /** Tasks wholly covered by what was passed on; each is handed out once. */
  takeCovered(done: number): FanoutTask[];
  /** Set when the activity must stop before it produces anything more. */
  ended(): boolean;
  end(): void;
  leave(): void;
};

export type LiveConversations = ReturnType<typeof createLiveConversations>;

/** A conversation's tasks are kept for its next activity, this many conversations at most. */
const waitingConversations = 1000;
const tasksKept = 2000;

/**
 * The conversations whose streaming activity runs in this process. What the task consumer learns reaches them in
 * memory, in under a millisecond; only for a conversation that is not here a signal goes through Temporal.
 */
export function createLiveConversations() {
  const live = new Map<string, { conversation: LiveConversation; add: (task: FanoutTask) => void }>();
  const waiting = new LRUCache<string, FanoutTask[]>({ max: waitingConversations });
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
            // Before anything else can run: a wake-up that finds the conversation here must not be lost.
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
      if (tasks.length > tasksKept) tasks.shift();
      seen(task.last_seq_id);
    };
    live.set(conversationId, { conversation, add });
    for (const task of tasks) seen(task.last_seq_id);
    return conversation;
  }

  return {
    /** Makes a conversation live here. An attempt that is here already (its heartbeats got lost) has to end. */
    enter(conversationId: string): LiveConversation {
      live.get(conversationId)?.conversation.end();
      return open(conversationId);
    },

    /** Tells a task. False when the conversation is not live here: then the task waits for its next activity. */
    wake(task: FanoutTask): boolean {
      const entry = live.get(task.conversation_id);
      if (entry) {
        entry.add(task);
        return true;
      }
      const tasks = waiting.get(task.conversation_id) ?? [];
      tasks.push(task);
      if (tasks.length > tasksKept) tasks.shift();
      waiting.set(task.conversation_id, tasks);
      return false;
    },

    ids: () => [...live.keys()],
    size: () => live.size,

    /** What the poll found: the head of a conversation. */
    seen: (conversationId: string, lastSeqId: number) =>
      live.get(conversationId)?.conversation.seen(lastSeqId),

    /** From now on every activity ends at its next step. */
    drain(): void {
      draining = true;
      for (const { conversation } of live.values()) conversation.end();
    },
    draining: () => draining,
  };
}
