import { resolve } from 'node:path';
import { suite } from 'node:test';
import { pathToFileURL } from 'node:url';

const prefix = 'file:';
/** Its path. */
export const oneProcess = import.meta.filename;

/**
 * The program that runs many test files in one process: to start a process for each of a hundred small files takes
 * longer than their tests do. Each file is a suite of its own, so that what it does before and after its tests is done
 * for these alone.
 */
if (import.meta.main) {
  for (const file of process.argv.slice(2)) {
    suite(`${prefix}${file}`, async () => {
      await import(pathToFileURL(resolve(file)).href);
    });
  }
}

/** The file whose suite has this title; undefined for the title of a test. */
export function fileOfTitle(title: string): string | undefined {
  return title.startsWith(prefix) ? resolve(title.slice(prefix.length)) : undefined;
}
