import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from './downloads.ts';

/**
 * The classes of a Java program as the JVM has them in memory after loading (its class data sharing). A JVM that maps
 * the archive starts in about half the time. The first run writes it when it ends.
 */
export interface ClassArchive {
  /** The JVM's options: to use the archive or, if there is none yet, to write it. */
  options(): string[];
  /** Keeps the archive that the ended JVM has written, if it has. */
  keep(): void;
}

/** `name` must differ for every version of the program and of Java: the JVM ignores an archive of other versions. */
export function createClassArchive(name: string, folder = cacheFolder()): ClassArchive {
  const path = join(folder, `${name}.jsa`);
  // A JVM that is killed leaves an incomplete file.
  const draft = join(folder, `.${name}-${process.pid}.jsa`);
  return {
    options() {
      if (existsSync(path)) return [`-XX:SharedArchiveFile=${path}`];
      mkdirSync(folder, { recursive: true });
      return [`-XX:ArchiveClassesAtExit=${draft}`];
    },
    keep() {
      if (!existsSync(draft)) return;
      if (existsSync(path)) rmSync(draft);
      else renameSync(draft, path);
    },
  };
}
