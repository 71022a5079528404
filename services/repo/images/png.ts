import { crc32 } from 'node:zlib';
import { onlyOrientation, orientationOf } from './exif.ts';

const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
/** EXIF, and texts, in which XMP is. */
const dropped = new Set(['eXIf', 'tEXt', 'zTXt', 'iTXt']);

/**
 * A PNG image without EXIF, XMP and other texts, and without what follows its end; only the orientation stays. Undefined
 * if the bytes are not a PNG image.
 */
export function pngWithoutMetadata(bytes: Buffer): Buffer | undefined {
  if (!bytes.subarray(0, signature.length).equals(signature)) return undefined;
  const kept: Buffer[] = [];
  let isDropped = false;
  let orientation = 1;
  let at = signature.length;
  for (let type = ''; type !== 'IEND'; ) {
    if (at + 12 > bytes.length) return undefined;
    const end = at + 12 + bytes.readUInt32BE(at);
    if (end > bytes.length) return undefined;
    type = bytes.toString('latin1', at + 4, at + 8);
    if (type === 'eXIf') orientation = orientationOf(bytes.subarray(at + 8, end - 4));
    if (dropped.has(type)) isDropped = true;
    else kept.push(bytes.subarray(at, end));
    at = end;
  }
  if (!isDropped && at === bytes.length) return bytes;
  const [header = Buffer.alloc(0), ...others] = kept;
  const exif = orientation === 1 ? [] : [chunk('eXIf', onlyOrientation(orientation))];
  return Buffer.concat([signature, header, ...exif, ...others]);
}

function chunk(type: string, content: Buffer): Buffer {
  const whole = Buffer.alloc(12 + content.length);
  whole.writeUInt32BE(content.length, 0);
  whole.write(type, 4, 'latin1');
  content.copy(whole, 8);
  whole.writeUInt32BE(crc32(whole.subarray(4, 8 + content.length)), 8 + content.length);
  return whole;
}
