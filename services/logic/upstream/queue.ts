import type { Item } from './item.ts';

export type Queue = {
  /** Number of items in the queue. */
  size(): number;
  /** False while the queue is full: nothing more may be pushed. */
  hasRoom(): boolean;
  push(items: Item[]): void;
  /** Removes and answers the oldest items, within the bounds of one save; at least one unless the queue is empty. */
  take(): Item[];
  /** Removes void items. */
  drop(isVoid: (item: Item) => boolean): void;
  waiting(): readonly Item[];
  /** Resolves when the queue is not empty, or at `wake`. */
  filled(): Promise<void>;
  /** Resolves when there is room, at the latest after `ms` milliseconds, or at `wake`. */
  room(ms: number): Promise<void>;
  wake(): void;
};

/**
 * The queue between fetching and saving. It is bounded in items and bytes, so that slow saves stop the fetching instead
 * of filling the memory. One push may exceed the bounds, so the maximum is the bounds plus one fetch.
 */
export function createQueue(bounds: {
  maxItems: number;
  maxBytes: number;
  takeItems: number;
  takeBytes: number;
}): Queue {
  let items: Item[] = [];
  let bytes = 0;
  let onFilled: (() => void)[] = [];
  let onRoom: (() => void)[] = [];

  const hasRoom = () => items.length < bounds.maxItems && bytes < bounds.maxBytes;
  const release = (waiters: (() => void)[]) => {
    for (const resolve of waiters) resolve();
  };
  const wakeFilled = () => {
    const waiters = onFilled;
    onFilled = [];
    release(waiters);
  };
  const wakeRoom = () => {
    const waiters = onRoom;
    onRoom = [];
    release(waiters);
  };

  return {
    size: () => items.length,
    hasRoom,
    push(more) {
      for (const item of more) {
        items.push(item);
        bytes += item.bytes;
      }
      wakeFilled();
    },
    take() {
      let count = 0;
      let taken = 0;
      for (const item of items) {
        if (count === bounds.takeItems || (count > 0 && taken + item.bytes > bounds.takeBytes)) break;
        count += 1;
        taken += item.bytes;
      }
      const batch = items.slice(0, count);
      items = items.slice(count);
      bytes -= taken;
      if (hasRoom()) wakeRoom();
      return batch;
    },
    drop(isVoid) {
      items = items.filter((item) => !isVoid(item));
      bytes = items.reduce((sum, item) => sum + item.bytes, 0);
      if (hasRoom()) wakeRoom();
    },
    waiting: () => items,
    filled: () => (items.length > 0 ? Promise.resolve() : new Promise((resolve) => onFilled.push(resolve))),
    room: (ms) =>
      hasRoom()
        ? Promise.resolve()
        : new Promise((resolve) => {
            const timer = setTimeout(resolve, ms);
            onRoom.push(() => {
              clearTimeout(timer);
              resolve();
            });
          }),
    wake() {
      wakeFilled();
      wakeRoom();
    },
  };
}
