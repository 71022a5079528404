import { changedAt, sourcesOf } from './sources.ts';

export interface SourceWatch {
  close(): void;
}

const lookEveryMs = 300;

/**
 * Tells which of several programs are made of other sources than before, once nothing has changed for a moment: an
 * editor saves several files, and a checkout many. It compares times of change, since the kernel's notices get lost
 * when a file is replaced by another one.
 */
export function watchSources(
  entries: Readonly<Record<string, string>>,
  onChange: (names: string[], paths: string[]) => void,
): SourceWatch {
  let seen = readTimes();
  let changed = new Set<string>();

  function readTimes(): Map<string, Map<string, number>> {
    const times = new Map<string, number>();
    const timeOf = (path: string): number => {
      const known = times.get(path) ?? changedAt(path);
      times.set(path, known);
      return known;
    };
    return new Map(
      Object.entries(entries).map(([name, entry]) => [
        name,
        new Map([...sourcesOf(entry)].map((path) => [path, timeOf(path)])),
      ]),
    );
  }

  function look(): void {
    const now = newTimes();
    if (now.size > 0) {
      for (const path of now) changed.add(path);
      return;
    }
    if (changed.size === 0) return;
    const paths = [...changed];
    changed = new Set();
    const names = [...seen].filter(([, of]) => paths.some((path) => of.has(path))).map(([name]) => name);
    // What is imported may be other files by now.
    seen = readTimes();
    onChange(names, paths);
  }

  /** Paths whose time is another one than at the last look. */
  function newTimes(): Set<string> {
    const found = new Set<string>();
    for (const of of seen.values()) {
      for (const [path, before] of of) {
        const time = changedAt(path);
        if (time === before) continue;
        found.add(path);
        of.set(path, time);
      }
    }
    return found;
  }

  const timer = setInterval(look, lookEveryMs);
  return { close: () => clearInterval(timer) };
}
