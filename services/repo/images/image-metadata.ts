import { blankPosition } from './exif.ts';
import { gifWithoutMetadata } from './gif.ts';
import { jpegWithoutMetadata } from './jpeg.ts';
import { pngWithoutMetadata } from './png.ts';
import { webpWithoutMetadata } from './webp.ts';

const jpeg = 'image/jpeg';
const rewriters: Record<string, (bytes: Buffer) => Buffer | undefined> = {
  'image/gif': gifWithoutMetadata,
  [jpeg]: jpegWithoutMetadata,
  'image/png': pngWithoutMetadata,
  'image/webp': webpWithoutMetadata,
};

/**
 * The image without the place where it was taken, which EXIF and XMP data may tell. The formats that most pictures have
 * lose all such data but the orientation. In any other, the position is overwritten where it is. The picture itself is
 * never encoded again.
 */
export function withoutPosition(bytes: Buffer, mime: string): Buffer {
  const rewritten = rewriters[mime]?.(bytes);
  if (rewritten && mime !== jpeg) return rewritten;
  // A JPEG image may have others behind it, with data of their own, and an unknown format may have it anywhere.
  return blanked(rewritten ?? bytes);
}

const exifHeader = Buffer.from('Exif\0\0', 'latin1');
const tiffStart = /^(II\*\0|MM\0\*)/;
const xmpStart = '<x:xmpmeta';
const xmpEnd = '</x:xmpmeta>';

/** Overwrites positions in place. Copies the bytes only if there is something to overwrite. */
function blanked(bytes: Buffer): Buffer {
  const found = allOf(bytes, exifHeader).map((at) => at + exifHeader.length);
  if (tiffStart.test(bytes.toString('latin1', 0, 4))) found.push(0);
  const packets = allOf(bytes, Buffer.from(xmpStart));
  if (found.length === 0 && packets.length === 0) return bytes;
  const copy = Buffer.from(bytes);
  for (const at of found) blankPosition(copy.subarray(at));
  for (const at of packets) {
    const end = copy.indexOf(xmpEnd, at);
    copy.fill(' ', at, end < 0 ? copy.length : end + xmpEnd.length);
  }
  return copy;
}

function allOf(bytes: Buffer, text: Buffer): number[] {
  const all: number[] = [];
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) all.push(at);
  return all;
}
