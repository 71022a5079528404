import { resolve } from 'node:path';
import { suite } from 'node:test';
import { pathToFileURL } from 'node:url';

const prefix = 'file:';
/** The path of this program. */
export const oneProcess = import.meta.filename;

/**
 * Runs many test files in one process: starting a process for each of a hundred small files takes longer than their
 * tests. Each file becomes a suite, so that its before and after hooks apply to its own tests only.
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
