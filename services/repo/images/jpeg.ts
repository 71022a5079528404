import { onlyOrientation, orientationOf } from './exif.ts';

const marker = 0xff;
const startOfImage = 0xd8;
const startOfScan = 0xda;
const endOfImage = 0xd9;
const app1 = 0xe1;
const app13 = 0xed;
const exifHeader = Buffer.from('Exif\0\0', 'latin1');

/**
 * A JPEG image without EXIF, XMP and IPTC data; only the orientation stays. The picture itself is copied, not encoded
 * again. Undefined if the bytes are not a JPEG image.
 */
export function jpegWithoutMetadata(bytes: Buffer): Buffer | undefined {
  if (bytes[0] !== marker || bytes[1] !== startOfImage) return undefined;
  const kept: Buffer[] = [];
  let isDropped = false;
  let orientation = 1;
  let at = 2;
  while (true) {
    // Any number of fill bytes may come before a marker.
    while (bytes[at] === marker && bytes[at + 1] === marker) at += 1;
    const kind = bytes[at + 1];
    if (bytes[at] !== marker || kind === undefined) return undefined;
    if (kind === startOfScan || kind === endOfImage) break;
    if (at + 4 > bytes.length) return undefined;
    const end = at + 2 + bytes.readUInt16BE(at + 2);
    if (end < at + 4 || end > bytes.length) return undefined;
    const content = bytes.subarray(at + 4, end);
    if (kind === app1 || kind === app13) isDropped = true;
    if (kind === app1 && content.subarray(0, exifHeader.length).equals(exifHeader)) {
      orientation = orientationOf(content.subarray(exifHeader.length));
    } else if (kind !== app1 && kind !== app13) {
      kept.push(bytes.subarray(at, end));
    }
    at = end;
  }
  if (!isDropped) return bytes;
  const start = bytes.subarray(0, 2);
  const exif =
    orientation === 1 ? [] : [segment(app1, Buffer.concat([exifHeader, onlyOrientation(orientation)]))];
  return Buffer.concat([start, ...exif, ...kept, bytes.subarray(at)]);
}

function segment(kind: number, content: Buffer): Buffer {
  const head = Buffer.from([marker, kind, 0, 0]);
  head.writeUInt16BE(content.length + 2, 2);
  return Buffer.concat([head, content]);
}
