const extension = 0x21;
const application = 0xff;
const image = 0x2c;
const trailer = 0x3b;

/**
 * A GIF image without XMP, and without what follows its end. Undefined if the bytes are not a GIF image.
 */
export function gifWithoutMetadata(bytes: Buffer): Buffer | undefined {
  if (!/^GIF8[79]a$/.test(bytes.toString('latin1', 0, 6)) || bytes.length < 13) return undefined;
  const kept: Buffer[] = [];
  let at = 13 + tableBytes(bytes[10]);
  kept.push(bytes.subarray(0, at));
  let isDropped = false;
  while (bytes[at] !== trailer) {
    const end = endOfBlock(bytes, at);
    if (end === undefined) return undefined;
    if (isXmp(bytes, at)) isDropped = true;
    else kept.push(bytes.subarray(at, end));
    at = end;
  }
  if (!isDropped && at + 1 === bytes.length) return bytes;
  kept.push(bytes.subarray(at, at + 1));
  return Buffer.concat(kept);
}

const isXmp = (bytes: Buffer, at: number): boolean =>
  bytes[at] === extension &&
  bytes[at + 1] === application &&
  bytes.toString('latin1', at + 3, at + 14) === 'XMP DataXMP';

function endOfBlock(bytes: Buffer, at: number): number | undefined {
  if (bytes[at] === extension) return endOfParts(bytes, at + 2);
  // The descriptor has ten bytes, its last one tells of the table; one byte before the data says how it is packed.
  if (bytes[at] === image) return endOfParts(bytes, at + 10 + tableBytes(bytes[at + 9]) + 1);
  return undefined;
}

/** The size of the table of colours that a byte of flags announces. */
const tableBytes = (flags = 0): number => ((flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1));

/** Data comes in parts, each with its length before it; a part of length 0 ends it. */
function endOfParts(bytes: Buffer, from: number): number | undefined {
  for (let at = from; ; ) {
    const length = bytes[at];
    if (length === undefined) return undefined;
    at += 1 + length;
    if (length === 0) return at;
  }
}
