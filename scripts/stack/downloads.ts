import { createHash } from 'node:crypto';
import {
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Problem } from '../process/problem.ts';

/** The cache folder, which all checkouts of this user share. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'gochat');
}

export function isCached(name: string): boolean {
  return existsSync(join(cacheFolder(), name));
}

/**
 * The path of the cached folder `name`; if it is missing, `fill` creates its content. The folder gets its name only
 * after it is complete and verified, so an interrupted download is never used.
 */
export async function cached(name: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(cacheFolder(), name);
  if (existsSync(folder)) return folder;
  mkdirSync(cacheFolder(), { recursive: true });
  const draft = mkdtempSync(join(cacheFolder(), `.${name}-`));
  try {
    await fill(draft);
    renameSync(draft, folder);
  } catch (error) {
    // Another process may have finished the same download first.
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return folder;
}

export async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** Throws a Problem unless the file has the pinned SHA-256 digest. */
export async function assertDigest(path: string, expected: string): Promise<void> {
  const actual = await sha256(path);
  if (actual === expected) return;
  throw new Problem(
    `The download ${basename(path)} is not the pinned one (SHA-256 ${actual}, expected ${expected}): try again, and don't use it if it stays so.`,
  );
}

/** Throws a Problem unless the folder has exactly the files of `digests` (name → SHA-256), with these digests. */
export async function assertDigests(folder: string, digests: ReadonlyMap<string, string>): Promise<void> {
  const present = readdirSync(folder);
  const unknown = present.find((name) => !digests.has(name));
  const absent = [...digests.keys()].find((name) => !present.includes(name));
  if (unknown !== undefined) throw new Problem(`The download brought ${unknown}, which is not pinned.`);
  if (absent !== undefined) throw new Problem(`The download lacks ${absent}.`);
  for (const [name, digest] of digests) await assertDigest(join(folder, name), digest);
}

/** Parses the output of sha256sum: digest, two characters, file name. */
export function parseDigests(text: string): Map<string, string> {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return new Map(
    lines.map((line) => {
      const match = /^([0-9a-f]{64}) [ *](.+)$/.exec(line);
      if (match?.[1] === undefined || match[2] === undefined) throw new Error(`not a digest line: ${line}`);
      return [match[2], match[1]];
    }),
  );
}
