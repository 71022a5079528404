import { createBackoff } from '../../../lib/async/retry.ts';
import { createSleeper } from '../../../lib/async/sleeper.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { Logger } from '../../../lib/log.ts';
import type { Claims } from './claims.ts';
import type { Item } from './item.ts';
import type { RefusedMessages } from './refused-messages.ts';
import type { Done, Outcome, Waiting } from './save.ts';

export type WaitingItems = {
  /** Takes the items whose conversations have others waiting, so that none overtakes another. Answers the rest. */
  keepBehind(items: Item[]): Item[];
  add(waiting: readonly Waiting[]): void;
  /** Resolves when there is room for more. */
  room(): Promise<void>;
  /** Ends the attempts, after the one in flight. What waits is redelivered after the next start. */
  stop(): Promise<void>;
};

/** A sender is refused after this time at the latest: well within the ten seconds that callers are promised. */
const giveUpAfterMs = 8000;
/**
 * So many messages wait to be stored; further ones are refused at once. A gateway counts them as unacknowledged, and
 * takes many unacknowledged sends for overload.
 */
const maxUnstored = 100;
/** So many stored messages and events wait to be delivered; then everything waits. */
const maxStored = 1000;
/** The bounds of one attempt, below those of a call. */
const attemptItems = 500;
const attemptBytes = 2 * 1024 * 1024;
const pauses = { firstMs: 100, longestMs: 1000 };

/** The refusal of a message that was not stored in time. It may still be stored. */
export const notStoredInTime = (): GoChatError =>
  new GoChatError(
    'UNAVAILABLE',
    'The message was not stored in time. Send it again with the same clientMsgId.',
  );

/**
 * Items that concern a database that does not answer, while all others go on. They are tried again and again. A message
 * that is not stored is refused in the end; what is stored, and events, wait until the database is back.
 */
export function createWaitingItems(deps: {
  claims: Claims;
  /** Stores items and finds their recipients. Answers one outcome per item, in order. Rejects if the call fails. */
  attempt(items: Item[]): Promise<Outcome[]>;
  /** Delivers after all that was passed to it before. */
  deliver(outcomes: Done[]): void;
  onCount(count: number): void;
  refused: Pick<RefusedMessages, 'note'>;
  log: Logger;
}): WaitingItems {
  const { claims, log } = deps;
  /** True for items that must not be given up, by item, in the order of their conversations. */
  const waiting = new Map<Item, boolean>();
  let conversations = new Set<string>();
  let unstored = 0;
  let running: Promise<void> | undefined;
  let stopping = false;
  let roomMade: PromiseWithResolvers<void> | undefined;
  const sleeper = createSleeper();

  const isFull = () => waiting.size - unstored >= maxStored;

  function count(): void {
    unstored = 0;
    conversations = new Set();
    for (const [item, isStored] of waiting) {
      if (!isStored) unstored += 1;
      conversations.add(conversationOf(item));
    }
    deps.onCount(waiting.size);
    if (!isFull() || stopping) roomMade?.resolve();
  }

  function add(items: readonly Waiting[]): void {
    if (items.length === 0) return;
    claims.defer(items.map(({ item }) => item));
    const refused: Done[] = [];
    for (const { item, stored } of items) {
      if (stored || unstored < maxUnstored) {
        waiting.set(item, stored);
        if (!stored) unstored += 1;
      } else refused.push(refuse(item));
    }
    count();
    if (refused.length > 0) deps.deliver(refused);
    running ??= run().finally(() => {
      running = undefined;
    });
  }

  function refuse(item: Item): Done {
    deps.refused.note(item);
    return refusalOf(item);
  }

  async function run(): Promise<void> {
    const nextPauseMs = createBackoff(pauses);
    while (waiting.size > 0 && !stopping) {
      await sleeper.sleep(nextPauseMs());
      if (!stopping) await attemptAll();
    }
  }

  async function attemptAll(): Promise<void> {
    for (const item of waiting.keys()) if (!claims.holds(item)) waiting.delete(item);
    const done: Done[] = [];
    for (const items of inAttempts(waiting.keys())) {
      try {
        for (const outcome of await deps.attempt(items)) {
          const { item } = outcome;
          if (outcome.kind === 'waiting') waiting.set(item, outcome.stored || waiting.get(item) === true);
          else if (waiting.delete(item)) done.push(outcome);
        }
      } catch (error) {
        log.warn({ err: error, items: items.length }, 'cannot process what waits for a database');
      }
    }
    const before = performance.now() - giveUpAfterMs;
    for (const [item, isStored] of waiting) {
      if (isStored || item.queuedAt > before) continue;
      waiting.delete(item);
      done.push(refuse(item));
    }
    count();
    if (done.length > 0) deps.deliver(done);
  }

  return {
    keepBehind(items) {
      if (waiting.size === 0) return items;
      const [behind, free] = [[] as Waiting[], [] as Item[]];
      for (const item of items) {
        if (!conversations.has(conversationOf(item))) free.push(item);
        else behind.push({ kind: 'waiting', item, stored: item.content.kind === 'event' });
      }
      add(behind);
      return free;
    },
    add,
    async room() {
      if (!isFull() || stopping) return;
      roomMade ??= Promise.withResolvers<void>();
      await roomMade.promise;
      roomMade = undefined;
    },
    async stop() {
      stopping = true;
      roomMade?.resolve();
      sleeper.wake();
      await running;
    },
  };
}

/** Divides items, in their order, into attempts within the bounds. */
function inAttempts(items: Iterable<Item>): Item[][] {
  const attempts: Item[][] = [];
  let bytes = 0;
  for (const item of items) {
    const current = attempts.at(-1);
    bytes += item.bytes;
    if (current && current.length < attemptItems && bytes <= attemptBytes) current.push(item);
    else {
      attempts.push([item]);
      bytes = item.bytes;
    }
  }
  return attempts;
}

/** Empty for what concerns no conversation. */
function conversationOf({ content }: Item): string {
  if (content.kind === 'message') return content.message.conversation_id;
  return content.kind === 'event' ? content.event.conversation_id : '';
}

function refusalOf(item: Item): Done {
  const { content } = item;
  if (content.kind !== 'message') throw new Error('only a message can be refused');
  const { code, message: text } = notStoredInTime();
  return { kind: 'refused', item, message: content.message, code, text };
}
