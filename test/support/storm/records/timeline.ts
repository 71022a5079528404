import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** The injected faults with their times. */
export type Timeline = {
  note(what: string): void;
  /** Milliseconds since the start of the storm. */
  now(): number;
  toString(): string;
};

/**
 * The timeline is also written to `storm.log` in the folder of the processes' logs, so that a running storm can be
 * followed.
 */
export function createTimeline(title: string): Timeline {
  const startedAt = Date.now();
  const folder = join(process.env.GOCHAT_HOME ?? '.gochat', 'logs');
  const file = join(folder, 'storm.log');
  const lines: string[] = [];
  mkdirSync(folder, { recursive: true });

  function write(line: string): void {
    lines.push(line);
    appendFileSync(file, `${line}\n`);
  }
  write(`${new Date(startedAt).toISOString()} ${title}`);
  return {
    note: (what) => write(`${((Date.now() - startedAt) / 1000).toFixed(1).padStart(7)} s  ${what}`),
    now: () => Date.now() - startedAt,
    toString: () => lines.join('\n'),
  };
}
