import { isUtf8 } from 'node:buffer';
import { unknownMime } from '../images/images.ts';

/** Types of programs that a browser runs. Files of these types are shown as plain text, or not at all. */
const scripted = /^(text\/html|application\/xhtml\+xml|image\/svg\+xml)$/;

/** The media type of a file by its first bytes. What its sender or its name say does not count. */
export async function contentTypeOf(head: Buffer): Promise<string> {
  const { fileTypeFromBuffer } = await import('file-type');
  // A damaged file may begin like one of a known type.
  const found = await fileTypeFromBuffer(head).catch(() => undefined);
  if (found && !scripted.test(found.mime)) return found.mime.split(';')[0]?.trim() ?? unknownMime;
  return isText(head) ? 'text/plain' : unknownMime;
}

/** True if the bytes are text in UTF-8. They may end within a character. */
const isText = (head: Buffer): boolean =>
  head.length > 0 &&
  !head.includes(0) &&
  [0, 1, 2, 3].some((cut) => head.length > cut && isUtf8(head.subarray(0, head.length - cut)));
