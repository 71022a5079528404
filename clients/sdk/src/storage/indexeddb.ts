import { guardBroken, type Place } from './place.ts';

const store = 'entries';

/** Keeps entries in the browser's IndexedDB, in a database of this name. */
export function indexedDbPlace(name: string): Place {
  let opened: Promise<IDBDatabase> | undefined;

  function database(): Promise<IDBDatabase> {
    if (opened) return opened;
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(store);
    opened = done(request);
    opened.then(
      (db) => {
        // A newer version of the page, or one that deletes the database, must not wait for this one.
        db.onversionchange = () => {
          db.close();
          opened = undefined;
        };
        db.onclose = () => {
          opened = undefined;
        };
      },
      () => {
        opened = undefined;
      },
    );
    return opened;
  }

  async function inTransaction<T>(
    mode: IDBTransactionMode,
    work: (entries: IDBObjectStore) => Promise<T>,
  ): Promise<T> {
    const transaction = (await database()).transaction(store, mode, { durability: 'strict' });
    const over = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error ?? guardBroken());
    });
    over.catch(() => {});
    try {
      const result = await work(transaction.objectStore(store));
      await over;
      return result;
    } catch (error) {
      if (!transaction.error) transaction.abort();
      throw error;
    }
  }

  return {
    read: () =>
      inTransaction('readonly', async (entries) => {
        const [keys, values] = await Promise.all([done(entries.getAllKeys()), done(entries.getAll())]);
        return new Map(keys.map((key, index) => [String(key), values[index]]));
      }),
    write: (changes, guard) =>
      inTransaction('readwrite', async (entries) => {
        if (guard && (await done(entries.get(guard.key))) !== guard.value) throw guardBroken();
        for (const [key, value] of changes) {
          if (value === undefined) entries.delete(key);
          else entries.put(value, key);
        }
      }),
    clear: () => inTransaction('readwrite', async (entries) => void entries.clear()),
  };
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
