// Room: the archiving of old messages, page by page. Reading and writing objects is im-repo's; no code of another flow
// may come in.

import { continueAsNew, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import { parseInput } from '../input/check.ts';
import {
  type ArchiveColdMessagesInput,
  type ArchiveColdMessagesResult,
  type ArchiveProgress,
  archiveInputs,
  noStore,
} from './contract.ts';
import * as steps from './steps.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/**
 * Archives the messages that are old enough, and then deletes from the database those that were archived long enough ago, by
 * this run or by earlier ones.
 */
export async function archiveColdMessages(
  input?: ArchiveColdMessagesInput,
  soFar?: ArchiveProgress,
): Promise<ArchiveColdMessagesResult> {
  const given = parseInput(archiveInputs.start, input ?? {});
  const resumed = soFar && parseInput(archiveInputs.soFar, soFar);
  const { dryRun = false, conversationId = '' } = given;
  const settings = await steps.readArchiveSettings();
  if (!settings.enabled) {
    setCurrentDetails(noStore);
    return { message: noStore, ...resultOf(nothing(0)), dryRun };
  }
  const olderThanDays = given.olderThanDays ?? settings.afterDays;
  const keepNewest = Math.ceil(given.keepNewest ?? settings.keepNewest);
  const graceHours = given.graceHours ?? settings.graceHours;
  const progress = resumed ?? nothing(cutoff(olderThanDays, given.wholeMonths ?? false));
  const { before } = progress;

  if (dryRun) {
    progress.archived = (await steps.countArchivable({ before, keepNewest, conversationId })).messages;
    setCurrentDetails(`${progress.archived} messages would be archived.`);
    return { message: '', ...resultOf(progress), dryRun };
  }
  for (;;) {
    const more =
      progress.phase === 'archive'
        ? await archivePage(progress, { keepNewest, conversationId })
        : await deletePage(progress, { archivedBefore: Date.now() - graceHours * hourMs, conversationId });
    const isEnd = !more && progress.phase === 'delete';
    setCurrentDetails(`${sentenceOf(progress)}${isEnd ? '.' : ' so far.'}`);
    if (isEnd) return { message: '', ...resultOf(progress), dryRun };
    if (!more) progress.phase = 'delete';
    if (workflowInfo().continueAsNewSuggested) {
      return continueAsNew<typeof archiveColdMessages>(input, progress);
    }
  }
}

async function archivePage(
  progress: ArchiveProgress,
  which: { keepNewest: number; conversationId: string },
): Promise<boolean> {
  const { before, after } = progress;
  const page = await steps.archivePage({ before, after, ...which });
  progress.archived += page.archived;
  progress.objects += page.objects;
  progress.bytes += page.bytes;
  progress.after = page.after;
  return page.more;
}

async function deletePage(
  progress: ArchiveProgress,
  which: { archivedBefore: number; conversationId: string },
): Promise<boolean> {
  const page = await steps.deleteArchivedPage(which);
  progress.deleted += page.deleted;
  progress.kept += page.kept;
  return page.more;
}

/** The time before which messages are old: with `wholeMonths` the beginning of a month, in UTC. */
function cutoff(olderThanDays: number, wholeMonths: boolean): number {
  const at = Math.floor(Date.now() - olderThanDays * dayMs);
  if (!wholeMonths) return at;
  const date = new Date(at);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
}

const nothing = (before: number): ArchiveProgress => ({
  phase: 'archive',
  before,
  after: '',
  archived: 0,
  objects: 0,
  bytes: 0,
  deleted: 0,
  kept: 0,
});

const resultOf = ({ archived, objects, bytes, deleted, kept }: ArchiveProgress) => ({
  archived,
  objects,
  bytes,
  deleted,
  kept,
});

const sentenceOf = ({ archived, objects, bytes, deleted, kept }: ArchiveProgress): string =>
  `${archived} messages were archived in ${objects} objects of ${(bytes / 1e6).toFixed(1)} MB; ` +
  `${deleted} archived ones were deleted from the database, ${kept} stay there`;
