import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Problem } from '../process/problem.ts';
import { cacheFolder } from '../stack/downloads.ts';

/** Downloads and empty servers take about half of this; the rest is for stored messages. */
const neededBytes = 1 << 30;

/** Throws a Problem if the disk of the data folder or of the cache has less than 1 GB free. */
export async function assertDiskSpace(home: string): Promise<void> {
  for (const folder of [home, cacheFolder()]) {
    const { bavail, bsize } = await statfs(nearestExisting(folder));
    if (bavail * bsize >= neededBytes) continue;
    throw new Problem(
      `${folder} has only ${Math.floor((bavail * bsize) / 2 ** 20)} MB left and GoChat needs ${neededBytes >> 20}: free some, or set GOCHAT_HOME and XDG_CACHE_HOME to another disk.`,
    );
  }
}

function nearestExisting(folder: string): string {
  return existsSync(folder) ? folder : nearestExisting(dirname(folder));
}
