import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** Types are gone when the program runs. */
const typeImports = /^(?:import|export) type [^;]*;/gm;
const relativePaths = /['"](\.{1,2}\/[^'"\n]+\.\w+)['"]/g;

/**
 * The sources that a program is made of: the file it starts with, what that imports or names by a relative path, what
 * those import, and so on. What lies beside them and is no TypeScript (Lua, SQL) counts too: code reads it by a name
 * that it puts together.
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

/** When a file last changed; 0 where it is gone. */
export const changedAt = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true;

const scriptsIn = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => /\.(lua|sql)$/.test(name))
    .map((name) => join(folder, name));
