import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createPersister } from './persister.ts';
import { guardBroken, type Place } from './place.ts';
import type { Storage } from './storage.ts';

/** The file is written anew when it has so many more lines than entries. */
const slackEntries = 5_000;

/** Keeps data in a file. One process at a time may use it. */
export function fileStorage(path: string): Storage {
  const place = filePlace(path);
  return { createPersister: (deps) => createPersister(place, deps) };
}

/**
 * Keeps entries in a file that each write appends a line to: `[[key, value], [key], …]`. A line that a crash cut off is
 * ignored, so a write is kept as a whole or not at all.
 */
export function filePlace(path: string): Place {
  let entries: Map<string, unknown> | undefined;
  let appended = 0;
  let last: Promise<unknown> = Promise.resolve();

  /** Runs one operation after the other. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = last.then(work, work);
    last = done.catch(() => undefined);
    return done;
  }

  async function load(): Promise<Map<string, unknown>> {
    if (entries) return entries;
    const text = await readFile(path, 'utf8').catch((error) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    });
    entries = new Map();
    for (const line of text.split('\n').slice(0, -1)) apply(entries, JSON.parse(line));
    await rewrite(entries);
    return entries;
  }

  async function rewrite(all: ReadonlyMap<string, unknown>): Promise<void> {
    await mkdir(dirname(path), { recursive: true });
    const fresh = `${path}.new`;
    await put(fresh, 'w', all.size > 0 ? `${JSON.stringify([...all])}\n` : '');
    await rename(fresh, path);
    appended = 0;
  }

  return {
    read: () => inTurn(async () => new Map(await load())),
    write: (changes, guard) =>
      inTurn(async () => {
        const all = await load();
        if (guard && all.get(guard.key) !== guard.value) throw guardBroken();
        const line = [...changes].map(([key, value]) => (value === undefined ? [key] : [key, value]));
        await put(path, 'a', `${JSON.stringify(line)}\n`);
        apply(all, line);
        appended += line.length;
        if (appended > all.size + slackEntries) await rewrite(all);
      }),
    clear: () =>
      inTurn(async () => {
        entries = undefined;
        await rm(path, { force: true });
      }),
  };
}

/** Writes text so that it survives a crash. */
async function put(path: string, how: 'w' | 'a', text: string): Promise<void> {
  const file = await open(path, how, 0o600);
  try {
    await file.write(text);
    await file.datasync();
  } finally {
    await file.close();
  }
}

function apply(entries: Map<string, unknown>, line: unknown[][]): void {
  for (const [key, value] of line) {
    if (value === undefined) entries.delete(String(key));
    else entries.set(String(key), value);
  }
}
