import { withDeadline } from '../../../lib/async/deadline.ts';
import { codeOf } from '../../../lib/errors.ts';
import type { Database } from '../storage/database.ts';

export type ShardSaves<Item, Saved> = (
  items: ReadonlyMap<Database, Item[]>,
) => Promise<{ done: Saved[]; refused: Item[] }>;

/** A save takes milliseconds. After this time the others do not wait for it any longer. */
const graceMs = 1000;

/**
 * Saves the items of each shard at the same time. If `tolerant`, a shard that does not answer refuses its own items and
 * no others: those of a save that failed, or takes longer than `graceMs`, and all further ones until that save has
 * ended. It may still store the items that were refused, so a caller must be able to repeat them; `onLate` gets its
 * outcome.
 */
export function createShardSaves<Item, Saved>(options: {
  tolerant: boolean;
  save(database: Database, items: Item[]): Promise<Saved>;
  onLate(saved: Saved): unknown;
}): ShardSaves<Item, Saved> {
  const { tolerant, save, onLate } = options;
  const late = new Set<Database>();

  async function saveInTime(database: Database, items: Item[]): Promise<Saved | undefined> {
    if (late.has(database)) return undefined;
    const saving = save(database, items);
    try {
      return await withDeadline(saving, graceMs, () => {
        late.add(database);
        saving.then(onLate, () => undefined).finally(() => late.delete(database));
        return undefined;
      });
    } catch (error) {
      if (codeOf(error) === 'UNAVAILABLE') return undefined;
      throw error;
    }
  }

  return async (byShard) => {
    if (!tolerant) {
      const done = await Promise.all(Array.from(byShard, ([database, items]) => save(database, items)));
      return { done, refused: [] };
    }
    const saves = await Promise.all(
      Array.from(byShard, async ([database, items]) => ({
        items,
        saved: await saveInTime(database, items),
      })),
    );
    return {
      done: saves.flatMap(({ saved }) => (saved === undefined ? [] : [saved])),
      refused: saves.flatMap(({ items, saved }) => (saved === undefined ? items : [])),
    };
  };
}
