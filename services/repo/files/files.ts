// Room: uploaded files: receiving and reading them, who may read them, what refers to them, and their end. Messages and
// conversations only say here what they refer to; images and stores know nothing of files.

import { parseFileId } from '../../../lib/domain/addresses.ts';
import { parseId } from '../../../lib/domain/ids.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { FileServiceService, GetUploadedFileRequest } from '../../../lib/gen/im_repo/v1/file.ts';
import type { ServedHandlers } from '../../../lib/grpc/definition.ts';
import type { Logger } from '../../../lib/log.ts';
import type { FileLinks } from '../file-links/file-links.ts';
import { createImages } from '../images/images.ts';
import type { Databases } from '../storage/databases.ts';
import type { Ids } from '../storage/ids.ts';
import type { ObjectStore } from '../store/store.ts';
import type { FileAccess } from './file-access.ts';
import type { FileContents } from './file-contents.ts';
import { createFileRead } from './file-read.ts';
import { readFileRow, toUploadedFile } from './file-rows.ts';
import { createUpload } from './upload.ts';

export type FileDeps = {
  databases: Databases;
  ids: Pick<Ids, 'nextId'>;
  store: ObjectStore;
  contents: FileContents;
  access: FileAccess;
  links: FileLinks;
  /** For bytes that are being received. */
  uploadFolder: string;
  log: Logger;
};

/** The handlers of FileService. */
export function createFileHandlers(deps: FileDeps) {
  const images = createImages(deps);
  return {
    uploadFile: createUpload({ ...deps, images, folder: deps.uploadFolder }),
    readFile: createFileRead(deps),
    async getUploadedFile({ userId, id }: GetUploadedFileRequest) {
      const file = parseFileId(id);
      const row =
        file && file.ownerId === parseId(userId) ? await readFileRow(deps.databases, file) : undefined;
      if (!row) throw new GoChatError('NOT_FOUND', 'There is no such file.');
      return { file: toUploadedFile(row, deps.links) };
    },
  } satisfies ServedHandlers<typeof FileServiceService>;
}
