import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** What was done to the system, and when. */
export type Timeline = {
  note(what: string): void;
  /** Milliseconds since the storm began. */
  now(): number;
  toString(): string;
};

/** Also written to `storm.log` beside the logs of the processes, to be followed while it blows. */
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
