import { changedAt, sourcesOf } from './sources.ts';

export interface SourceWatch {
  close(): void;
}

const defaultPollEveryMs = 300;

/**
 * Reports which programs have changed sources, after a poll without further changes: an editor saves several files at
 * once, a git checkout many. It polls modification times, since kernel notifications get lost when a file is
 * replaced.
 */
export function watchSources(
  entries: Readonly<Record<string, string>>,
  onChange: (names: string[], paths: string[]) => void,
  { pollEveryMs = defaultPollEveryMs } = {},
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

  function poll(): void {
    const now = newTimes();
    if (now.size > 0) {
      for (const path of now) changed.add(path);
      return;
    }
    if (changed.size === 0) return;
    const paths = [...changed];
    changed = new Set();
    const names = [...seen].filter(([, of]) => paths.some((path) => of.has(path))).map(([name]) => name);
    // The changed sources may import other files now.
    seen = readTimes();
    onChange(names, paths);
  }

  /** Paths whose modification time has changed since the last poll. */
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

  const timer = setInterval(poll, pollEveryMs);
  return { close: () => clearInterval(timer) };
}
