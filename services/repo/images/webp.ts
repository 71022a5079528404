import { onlyOrientation, orientationOf } from './exif.ts';

const exifFlag = 0x08;
const xmpFlag = 0x04;

/**
 * A WebP image without EXIF and XMP, and without what follows its end; only the orientation stays. Undefined if the bytes
 * are not a WebP image.
 */
export function webpWithoutMetadata(bytes: Buffer): Buffer | undefined {
  if (bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WEBP')
    return undefined;
  const end = Math.min(bytes.length, 8 + bytes.readUInt32LE(4));
  const kept: Buffer[] = [];
  let orientation = 1;
  let isDropped = false;
  for (let at = 12; at + 8 <= end; ) {
    const type = bytes.toString('latin1', at, at + 4);
    const size = bytes.readUInt32LE(at + 4);
    const next = at + 8 + size + (size % 2);
    if (at + 8 + size > end) return undefined;
    if (type === 'EXIF' || type === 'XMP ') isDropped = true;
    if (type === 'EXIF') orientation = orientationOf(withoutHeader(bytes.subarray(at + 8, at + 8 + size)));
    else if (type !== 'XMP ') kept.push(bytes.subarray(at, Math.min(next, end)));
    at = next;
  }
  if (!isDropped && end === bytes.length) return bytes;
  const [first] = kept;
  if (!first) return undefined;
  const isExtended = first.toString('latin1', 0, 4) === 'VP8X';
  const turned = isExtended && orientation !== 1;
  if (isExtended) {
    const header = Buffer.from(first);
    header[8] = ((header[8] ?? 0) & ~(exifFlag | xmpFlag)) | (turned ? exifFlag : 0);
    kept[0] = header;
  }
  if (turned) kept.push(chunk('EXIF', onlyOrientation(orientation)));
  const body = Buffer.concat(kept);
  const riff = Buffer.from(bytes.subarray(0, 12));
  riff.writeUInt32LE(4 + body.length, 4);
  return Buffer.concat([riff, body]);
}

/** Some programs write the header that EXIF data has in JPEG images. */
const withoutHeader = (exif: Buffer): Buffer =>
  exif.toString('latin1', 0, 6) === 'Exif\0\0' ? exif.subarray(6) : exif;

function chunk(type: string, content: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.write(type, 0, 'latin1');
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, content]);
}
