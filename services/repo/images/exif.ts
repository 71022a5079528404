/**
 * EXIF data is a small TIFF: a header, then directories of entries of 12 bytes. Offsets count from the header. Whatever
 * they say is checked against the length, because the data comes from strangers.
 */

const orientationTag = 0x0112;
const positionsTag = 0x8825;
/** The sizes of values in bytes, by their type. */
const typeSizes = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8];
const maxDirectories = 16;
const maxEntries = 1000;
const entryBytes = 12;

type Entry = { at: number; tag: number; type: number; count: number };

/** How the picture must be turned to be upright, 1 to 8; 1 if the data does not say. */
export function orientationOf(exif: Buffer): number {
  const reader = readerOf(exif);
  const entry = reader?.entries(reader.firstDirectory()).find(({ tag }) => tag === orientationTag);
  const orientation = entry && reader ? reader.uint16(entry.at + 8) : 1;
  return orientation !== undefined && orientation >= 1 && orientation <= 8 ? orientation : 1;
}

/** EXIF data that holds nothing but the orientation. */
export function onlyOrientation(orientation: number): Buffer {
  const exif = Buffer.alloc(26);
  exif.write('II*\0', 0, 'latin1');
  exif.writeUInt32LE(8, 4);
  exif.writeUInt16LE(1, 8);
  exif.writeUInt16LE(orientationTag, 10);
  exif.writeUInt16LE(3, 12);
  exif.writeUInt32LE(1, 14);
  exif.writeUInt16LE(orientation, 18);
  return exif;
}

/** Overwrites the position with zeros, in place. The length stays the same, so that nothing around it must change. */
export function blankPosition(tiff: Buffer): void {
  const reader = readerOf(tiff);
  if (!reader) return;
  let directory = reader.firstDirectory();
  for (let seen = 0; directory > 0 && seen < maxDirectories; seen++) {
    const entries = reader.entries(directory);
    for (const { at, tag } of entries) {
      if (tag === positionsTag) blankDirectory(tiff, reader, reader.uint32(at + 8) ?? 0);
    }
    directory = reader.uint32(directory + 2 + entries.length * entryBytes) ?? 0;
  }
}

function blankDirectory(tiff: Buffer, reader: Reader, directory: number): void {
  if (directory < 8) return;
  const entries = reader.entries(directory);
  for (const { at, type, count } of entries) {
    const bytes = (typeSizes[type] ?? 0) * count;
    const value = bytes > 4 ? (reader.uint32(at + 8) ?? 0) : 0;
    if (value >= 8 && value + bytes <= tiff.length) tiff.fill(0, value, value + bytes);
  }
  if (entries.length > 0) tiff.fill(0, directory, directory + 2 + entries.length * entryBytes);
}

type Reader = NonNullable<ReturnType<typeof readerOf>>;

/** Undefined if the data has no TIFF header. Reads beyond the end give undefined. */
function readerOf(tiff: Buffer) {
  const header = tiff.toString('latin1', 0, 4);
  const little = header === 'II*\0';
  if (!little && header !== 'MM\0*') return undefined;
  const fits = (at: number, bytes: number) => at >= 0 && at + bytes <= tiff.length;
  const uint16 = (at: number) =>
    fits(at, 2) ? (little ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at)) : undefined;
  const uint32 = (at: number) =>
    fits(at, 4) ? (little ? tiff.readUInt32LE(at) : tiff.readUInt32BE(at)) : undefined;
  return {
    uint16,
    uint32,
    firstDirectory: () => uint32(4) ?? 0,
    entries(directory: number): Entry[] {
      const count = Math.min(uint16(directory) ?? 0, maxEntries);
      return Array.from({ length: count }, (_, index): Entry | undefined => {
        const at = directory + 2 + index * entryBytes;
        if (!fits(at, entryBytes)) return undefined;
        return { at, tag: uint16(at) ?? 0, type: uint16(at + 2) ?? 0, count: uint32(at + 4) ?? 0 };
      }).filter((entry) => entry !== undefined);
    },
  };
}
