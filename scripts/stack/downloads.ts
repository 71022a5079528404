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

/** Where downloads are kept for every checkout of this user. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'gochat');
}

export function isCached(name: string): boolean {
  return existsSync(join(cacheFolder(), name));
}

/**
 * The cached folder `name`, made by `fill` where it is missing. It appears under its name only when it is
 * complete and verified, so an interrupted download leaves nothing that could be taken for a good one.
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
    // Another start may have been quicker with the same download.
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

/** Throws unless the file's content is the very one that was pinned. */
export async function assertDigest(path: string, expected: string): Promise<void> {
  const actual = await sha256(path);
  if (actual === expected) return;
  throw new Problem(
    `The download ${basename(path)} is not the pinned one (SHA-256 ${actual}, expected ${expected}): try again, and don't use it if it stays so.`,
  );
}

/** Throws unless the folder holds exactly the files of `digests` (name → SHA-256), each unchanged. */
export async function assertDigests(folder: string, digests: ReadonlyMap<string, string>): Promise<void> {
  const present = readdirSync(folder);
  const unknown = present.find((name) => !digests.has(name));
  const absent = [...digests.keys()].find((name) => !present.includes(name));
  if (unknown !== undefined) throw new Problem(`The download brought ${unknown}, which is not pinned.`);
  if (absent !== undefined) throw new Problem(`The download lacks ${absent}.`);
  for (const [name, digest] of digests) await assertDigest(join(folder, name), digest);
}

/** Parses the lines of sha256sum: digest, blanks, file name. */
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
