import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** Type imports do not exist at run time. */
const typeImports = /^(?:import|export) type [^;]*;/gm;
const relativePaths = /['"](\.{1,2}\/[^'"\n]+\.\w+)['"]/g;

/**
 * The sources of a program: its entry file and, recursively, all files that a source imports or mentions by a
 * relative path. Other files in the same folders that are not TypeScript (Lua, SQL) count too, since code reads them
 * by computed names.
 */
export function sourcesOf(entry: string): Set<string> {
  const found = new Set<string>();
  const toRead = [resolve(entry)];
  for (let path = toRead.pop(); path !== undefined; path = toRead.pop()) {
    if (found.has(path) || !isFile(path)) continue;
    found.add(path);
    if (!path.endsWith('.ts')) continue;
    const folder = dirname(path);
    const text = readFileSync(path, 'utf8').replace(typeImports, '');
    for (const [, relative = ''] of text.matchAll(relativePaths)) toRead.push(join(folder, relative));
  }
  const folders = new Set([...found].map(dirname));
  for (const folder of folders) for (const path of scriptsIn(folder)) found.add(path);
  return found;
}

/** The modification time of a file, Unix milliseconds; 0 if it does not exist. */
export const changedAt = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true;

const scriptsIn = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => /\.(lua|sql)$/.test(name))
    .map((name) => join(folder, name));
