import { createHash } from 'node:crypto';
import pLimit from 'p-limit';
import { canonicalFileName } from '../../../lib/domain/addresses.ts';
import { parseId } from '../../../lib/domain/ids.ts';
import { invalid, userNotFound } from '../../../lib/domain/refusals.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { UploadBegin, UploadFileRequest, UploadFileResponse } from '../../../lib/gen/im_repo/v1/file.ts';
import type { FileLinks } from '../file-links/file-links.ts';
import { type Images, thumbnailMime } from '../images/images.ts';
import type { Databases } from '../storage/databases.ts';
import type { Ids } from '../storage/ids.ts';
import { contentTypeOf } from './content-type.ts';
import type { FileContents } from './file-contents.ts';
import { insertFile, quotaExceeded, toUploadedFile, usedBytes } from './file-rows.ts';
import { type Spooled, spool, tooLarge } from './spool.ts';

/** More at once would fill the disk with what is not stored yet. */
const maxUploads = 256;
/** An image is read into memory as a whole, and stays there until it is stored. */
const maxImageBytes = 64 * 1024 * 1024;
const maxImages = 2;

export type UploadDeps = {
  databases: Databases;
  ids: Pick<Ids, 'nextId'>;
  contents: FileContents;
  images: Images;
  links: FileLinks;
  /** For bytes that are being received. */
  folder: string;
};

/**
 * Receives a file: its bytes first, into a temporary file; then its type and, of an image, its size and thumbnail; then
 * the contents go into the store, and last comes the row, which makes it a file. Whatever ends an upload before that
 * leaves nothing, or a content that the sweep deletes.
 */
export function createUpload(deps: UploadDeps) {
  const { databases, ids, contents, images, links, folder } = deps;
  const imageSlots = pLimit(maxImages);
  let uploads = 0;

  async function receive(parts: Parts): Promise<UploadFileResponse> {
    const begin = await readBegin(parts);
    const userId = parseId(begin.userId);
    if (userId === undefined) throw userNotFound();
    if (begin.quotaBytes > 0 && (await usedBytes(databases, userId)) >= begin.quotaBytes) {
      throw quotaExceeded(begin.quotaBytes);
    }
    const spooled = await spool(chunksOf(parts), { folder, maxBytes: begin.maxBytes });
    try {
      const row = {
        ...(await keepContents(spooled)),
        owner_id: userId,
        id: ids.nextId(),
        name: nameOf(begin),
      };
      await insertFile(databases, row, begin.quotaBytes);
      return { file: toUploadedFile(row, links) };
    } finally {
      await spooled.close();
    }
  }

  /** Puts the contents into the store, and answers what the row says about them. */
  async function keepContents(spooled: Spooled) {
    const { size, sha256, head, stream } = spooled;
    const mime = await contentTypeOf(head);
    if (mime.startsWith('image/')) {
      if (size > maxImageBytes) throw tooLarge(maxImageBytes);
      return imageSlots(() => keepImage(spooled, mime));
    }
    await contents.keep({ sha256, size, mime, body: stream });
    return { mime, size, sha256, width: null, height: null, thumbnail_sha256: null, thumbnail_size: null };
  }

  async function keepImage(spooled: Spooled, type: string) {
    const bytes = await spooled.all();
    const { bytes: clean, mime, width = null, height = null, thumbnail } = await images.read(bytes, type);
    const size = clean.length;
    const sha256 = clean === bytes ? spooled.sha256 : sha256Of(clean);
    await contents.keep({ sha256, size, mime, body: () => clean });
    const facts = { mime, size, sha256, width, height };
    if (!thumbnail) return { ...facts, thumbnail_sha256: null, thumbnail_size: null };
    const small = { sha256: sha256Of(thumbnail), size: thumbnail.length };
    await contents.keep({ ...small, mime: thumbnailMime, body: () => thumbnail });
    return { ...facts, thumbnail_sha256: small.sha256, thumbnail_size: small.size };
  }

  return async (requests: AsyncIterable<UploadFileRequest>): Promise<UploadFileResponse> => {
    if (uploads >= maxUploads)
      throw new GoChatError('UNAVAILABLE', 'Too many uploads at once. Try again shortly.');
    uploads += 1;
    const parts = requests[Symbol.asyncIterator]();
    try {
      return await receive(parts);
    } finally {
      uploads -= 1;
      await parts.return?.();
    }
  };
}

type Parts = AsyncIterator<UploadFileRequest>;

const sha256Of = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();
const nameOf = ({ name }: UploadBegin): string => canonicalFileName(name);

async function readBegin(parts: Parts): Promise<UploadBegin> {
  const first = await parts.next();
  if (first.done || first.value.part?.$case !== 'begin') throw invalid('begin', 'must come first');
  const begin = first.value.part.value;
  if (begin.maxBytes <= 0) throw invalid('max_bytes', 'must be positive');
  return begin;
}

async function* chunksOf(parts: Parts): AsyncGenerator<Uint8Array> {
  let size = 0;
  for (let next = await parts.next(); !next.done; next = await parts.next()) {
    const { part } = next.value;
    if (part?.$case === 'end' && part.value.size === size) return;
    if (part?.$case !== 'chunk')
      throw invalid('part', 'must be a chunk, or an end with the size of all chunks');
    size += part.value.length;
    yield part.value;
  }
  // A call that is cancelled may look like one that has ended.
  throw invalid('end', 'is required');
}
