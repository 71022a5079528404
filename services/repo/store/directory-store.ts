import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, link, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import {
  checkKey,
  existingPart,
  type ListedObject,
  type ObjectFacts,
  type ObjectStore,
  WrongBody,
} from './store.ts';

/** Holds the objects that are being written. Its name is no valid key. */
const unfinishedFolder = '.unfinished';
/** Longer than any write takes: a file of this age was left by a process that died. */
const abandonedMs = 3_600_000;
const pieceBytes = 256 * 1024;

/**
 * Keeps each object as a file below a directory. The directory must exist: if it does not, a disk is probably not
 * mounted, and writing beside it would hide the objects that are there.
 */
export function createDirectoryStore(root: string): ObjectStore {
  const unfinished = join(root, unfinishedFolder);
  const pathOf = (key: string): string => {
    checkKey(key);
    return join(root, key);
  };

  /** Answers undefined for a missing file, and rejects if the whole directory is missing. */
  async function ifPresent<T>(read: Promise<T>): Promise<T | undefined> {
    try {
      return await read;
    } catch (error) {
      if (!isMissing(error)) throw error;
      await stat(root);
      return undefined;
    }
  }

  async function removeAbandoned(): Promise<void> {
    for (const name of (await ifPresent(readdir(unfinished))) ?? []) {
      const path = join(unfinished, name);
      const file = await ifPresent(stat(path));
      if (file && Date.now() - file.mtimeMs > abandonedMs) await rm(path, { force: true });
    }
  }
  const started = removeAbandoned().catch(() => undefined);

  return {
    async put(key, body, about) {
      const path = pathOf(key);
      const stream = body instanceof Readable ? body : Readable.from(pieces(body), { objectMode: false });
      try {
        if (await ifPresent(stat(path))) return 'existed';
        await makeFolder(root, unfinishedFolder);
        const temporary = join(unfinished, randomUUID());
        try {
          await writeWhole(temporary, stream, about);
          await makeFolder(root, dirname(key));
          return await linkIfAbsent(temporary, path);
        } finally {
          await rm(temporary, { force: true });
        }
      } finally {
        stream.destroy();
      }
    },

    async get(key, part, { signal } = {}) {
      const file = await ifPresent(open(pathOf(key), 'r'));
      if (!file) return undefined;
      try {
        const { size, mtimeMs } = await file.stat();
        const range = part ? existingPart(part, size) : {};
        const body = createReadStream('', { fd: file, ...range, ...(signal ? { signal } : {}) });
        return { body, size, etag: etagOf(size, mtimeMs) };
      } catch (error) {
        await file.close();
        throw error;
      }
    },

    async head(key) {
      const file = await ifPresent(stat(pathOf(key)));
      if (!file) return undefined;
      return { size: file.size, modifiedAt: Math.floor(file.mtimeMs), etag: etagOf(file.size, file.mtimeMs) };
    },

    async delete(key) {
      await ifPresent(rm(pathOf(key)));
    },

    async *list(prefix) {
      await stat(root);
      yield* filesIn(root, '', prefix);
    },

    close: async () => void (await started),
  };
}

const isMissing = (error: unknown): boolean => hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR');

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;

const etagOf = (size: number, mtimeMs: number): string =>
  `${size.toString(36)}-${Math.floor(mtimeMs).toString(36)}`;

/** Makes a folder below the root, but never the root itself. */
async function makeFolder(root: string, folder: string): Promise<void> {
  await stat(root);
  await mkdir(join(root, folder), { recursive: true });
}

/** Writes a new file and waits until the disk has it. Rejects if the stream does not have the size and hash. */
async function writeWhole(path: string, stream: Readable, { size, sha256 }: ObjectFacts): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    const hash = sha256 === undefined ? undefined : createHash('sha256');
    let written = 0;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      written += chunk.length;
      if (written > size) break;
      hash?.update(chunk);
      await writeAll(file, chunk);
    }
    if (written !== size) throw new WrongBody(`the body does not have ${size} bytes`);
    if (hash && hash.digest('hex') !== sha256) throw new WrongBody('the body has another hash');
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Pieces of bytes, between which other work gets its turn. */
function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.length; ) {
    const { bytesWritten } = await file.write(chunk, done);
    done += bytesWritten;
  }
}

/** Gives the finished file its name, by a link, which never replaces a file. */
async function linkIfAbsent(temporary: string, path: string): Promise<'stored' | 'existed'> {
  try {
    await link(temporary, path);
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return 'existed';
    throw error;
  }
  // The name, too, must survive a power failure.
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
  return 'stored';
}

async function* filesIn(root: string, folder: string, prefix: string): AsyncGenerator<ListedObject> {
  const entries = await readdir(join(root, folder), { withFileTypes: true });
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const key = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      const below = `${key}/`;
      if (below.startsWith(prefix) || prefix.startsWith(below)) yield* filesIn(root, key, prefix);
    } else if (key.startsWith(prefix)) {
      const file = await stat(join(root, key)).catch(() => undefined);
      // A file that was deleted meanwhile is not listed.
      if (file) yield { key, size: file.size, modifiedAt: Math.floor(file.mtimeMs) };
    }
  }
}
