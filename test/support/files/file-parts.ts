import { mkdtempSync, readdirSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { UploadedFile, UploadFileRequest } from '../../../lib/gen/im_repo/v1/file.ts';
import { createFileContents } from '../../../services/repo/files/file-contents.ts';
import { startFileSweep } from '../../../services/repo/files/file-sweep.ts';
import { createFileHandlers } from '../../../services/repo/files/files.ts';
import { createDirectoryStore } from '../../../services/repo/store/directory-store.ts';
import { atEnd } from '../at-end.ts';
import type { RepoParts } from '../repo/repo-parts.ts';

/** Repo's file handlers on a store of their own, and what looks into both. */
export async function createFileParts(parts: RepoParts) {
  const { databases, access, releaseFile, links, log, metrics } = parts;
  const folder = mkdtempSync(join(tmpdir(), 'gochat-files-'));
  atEnd(() => rm(folder, { recursive: true, force: true }));
  const storeFolder = join(folder, 'store');
  const uploadFolder = join(folder, 'uploads');
  await Promise.all([mkdir(storeFolder), mkdir(uploadFolder)]);
  const store = createDirectoryStore(storeFolder);
  const contents = createFileContents({ databases, store });
  const handlers = createFileHandlers({ ...parts, store, contents, access, links, uploadFolder });
  const sweeper = startFileSweep({ databases, access, contents, releaseFile, log, metrics });
  atEnd(sweeper.stop);

  const begin = (
    userId: string,
    fields: { quotaBytes?: number; maxBytes?: number } = {},
  ): UploadFileRequest => ({
    part: {
      $case: 'begin',
      value: { userId, name: 'file.bin', maxBytes: 20 * 1024 * 1024, quotaBytes: 0, ...fields },
    },
  });
  const end = (size: number): UploadFileRequest => ({ part: { $case: 'end', value: { size } } });
  const chunk = (bytes: Buffer): UploadFileRequest => ({ part: { $case: 'chunk', value: bytes } });

  return {
    ...handlers,
    contents,
    begin,
    chunk,
    sweep: sweeper.sweep,
    uploadFolder: () => readdirSync(uploadFolder),

    async upload(
      userId: string,
      bytes: Buffer,
      fields: { quotaBytes?: number; maxBytes?: number } = {},
    ): Promise<UploadedFile> {
      const { file } = await handlers.uploadFile(
        (async function* () {
          yield begin(userId, fields);
          yield chunk(bytes);
          yield end(bytes.length);
        })(),
      );
      if (!file) throw new Error('an upload answered no file');
      return file;
    },

    /** The bytes of a file for a user. Rejects with the refusal. */
    async read(userId: string, id: string): Promise<Buffer> {
      const chunks: Buffer[] = [];
      const request = {
        id,
        userId,
        expiresAtS: 0,
        signature: '',
        part: undefined,
        knownTags: [],
        factsOnly: false,
      };
      for await (const { part } of handlers.readFile(request, new AbortController().signal)) {
        if (part?.$case === 'chunk') chunks.push(Buffer.from(part.value));
      }
      return Buffer.concat(chunks);
    },

    /** The keys of all objects in the store. */
    async stored(): Promise<string[]> {
      const keys: string[] = [];
      for await (const { key } of store.list('')) keys.push(key);
      return keys.sort();
    },

    /** Lets the time to be checked come for all files and contents, and sweeps. */
    async sweepLater(): Promise<void> {
      await databases.users.execute('UPDATE files SET check_at = 1 WHERE check_at IS NOT NULL');
      await databases.directory.execute('UPDATE file_contents SET check_at = 1 WHERE check_at IS NOT NULL');
      await sweeper.sweep();
    },
  };
}
