// Room: the archive's work: it moves old messages into objects of the cold store, deletes them from the database, rewrites
// objects whose messages changed, and compares both. Reading archived messages is the room cold.

import { GoChatError } from '../../../lib/errors.ts';
import type { ArchiveServiceService } from '../../../lib/gen/im_repo/v1/archive.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import type { ColdMessages } from '../cold/cold-messages.ts';
import type { ColdSettings } from '../cold/cold-settings.ts';
import type { ColdStore } from '../cold/cold-store.ts';
import type { Databases } from '../storage/databases.ts';
import type { Ids } from '../storage/ids.ts';
import { createFindArchivable } from './archivable.ts';
import { createArchiveCompact } from './archive-compact.ts';
import { createArchiveDelete } from './archive-delete.ts';
import { createArchiveMessages } from './archive-messages.ts';
import { createArchiveVerify } from './archive-verify.ts';

/** The handlers of ArchiveService. Without a store they only say so. */
export function createArchiveHandlers(deps: {
  databases: Databases;
  ids: Pick<Ids, 'nextId'>;
  cold: ColdMessages;
  store: ColdStore | undefined;
  settings: ColdSettings;
}): UnaryHandlers<typeof ArchiveServiceService> {
  const { store } = deps;
  const { url: _url, ...settings } = deps.settings;
  const withStore = store && { ...deps, store };
  const none = async (): Promise<never> => {
    throw new GoChatError('PERMISSION_DENIED', 'No cold store is configured: set COLD_URL.');
  };
  return {
    getArchiveSettings: async () => ({ enabled: store !== undefined, ...settings }),
    findArchivable: createFindArchivable(deps),
    archiveMessages: withStore ? createArchiveMessages(withStore) : none,
    deleteArchivedMessages: withStore ? createArchiveDelete(withStore) : none,
    compactArchive: withStore ? createArchiveCompact(withStore) : none,
    verifyArchive: withStore ? createArchiveVerify(withStore) : none,
  };
}
