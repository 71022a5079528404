import type { Reading } from '../cache/cache.ts';
import type { FileLinks } from '../file-links/file-links.ts';
import type { TaggedPage } from './page-answers.ts';

/** The tag of a page, and the day on which it counts; undefined if it counts on any day. */
type KeptTag = { tag: string; day: number | undefined };

/**
 * The tag of a page, from memory if nothing that the page shows has changed. Else the page is built, and answered too. A
 * page with signed addresses of files is another one on each day, so its tag is kept for the day only.
 */
export async function readTag<R>(
  { reading, links }: { reading: Reading; links: FileLinks },
  key: string,
  build: (from: Reading) => Promise<TaggedPage<R>>,
): Promise<{ tag: string; built: TaggedPage<R> | undefined }> {
  const today = links.day();
  let built: TaggedPage<R> | undefined;
  const compute = async (from: Reading) => {
    built = await build(from);
    const value: KeptTag = { tag: built.tag, day: built.signed ? today : undefined };
    return { value, bytes: value.tag.length + 8 };
  };
  const kept = await reading.derive(key, compute);
  if (kept.day === undefined || kept.day === today) return { tag: kept.tag, built };
  const { tag } = await reading.derive(`${key} on ${today}`, compute);
  return { tag, built };
}
