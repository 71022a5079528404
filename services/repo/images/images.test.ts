import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { createLogger } from '../../../lib/log.ts';
import { picture, withPosition } from '../../../test/support/files/pictures.ts';
import { createImages } from './images.ts';

const images = createImages({ log: createLogger('test', 'silent') });
const position = /GPS|47,22|xmpmeta/;

const formats = {
  'image/jpeg': (image: ReturnType<typeof picture>) => image.jpeg(),
  'image/png': (image: ReturnType<typeof picture>) => image.png(),
  'image/webp': (image: ReturnType<typeof picture>) => image.webp(),
  'image/tiff': (image: ReturnType<typeof picture>) => image.tiff(),
  'image/avif': (image: ReturnType<typeof picture>) => image.avif({ effort: 0 }),
};

for (const [mime, encode] of Object.entries(formats)) {
  // The library writes no position into this format; exif.test.ts makes one.
  if (mime === 'image/tiff') continue;
  test(`${mime}: the place is gone, and the picture is the same`, async () => {
    const bytes = await encode(withPosition(picture(60, 40))).toBuffer();
    const { exif: before } = await sharp(bytes).metadata();
    assert.ok(before && gpsOf(before), 'the test picture has a position');
    const image = await images.read(bytes, mime);
    assert.deepEqual([image.mime, image.width, image.height, image.thumbnail], [mime, 60, 40, undefined]);
    const { exif, xmp } = await sharp(image.bytes).metadata();
    assert.equal(exif && gpsOf(exif), undefined);
    assert.doesNotMatch(String(xmp ?? ''), position);
    assert.doesNotMatch(image.bytes.toString('latin1'), position);
    const raw = (from: Buffer) => sharp(from).raw().toBuffer();
    assert.ok((await raw(bytes)).equals(await raw(image.bytes)));
  });
}

test('the orientation stays, and sizes are those of the upright picture', async () => {
  for (const mime of ['image/jpeg', 'image/png', 'image/webp'] as const) {
    const bytes = await formats[mime](
      withPosition(picture(60, 40)).withMetadata({ orientation: 6 }),
    ).toBuffer();
    const image = await images.read(bytes, mime);
    assert.deepEqual([image.width, image.height], [40, 60], mime);
    assert.equal((await sharp(image.bytes).metadata()).orientation, 6, mime);
  }
});

test('a picture without such data stays as it is', async () => {
  for (const [mime, encode] of Object.entries(formats)) {
    const bytes = await encode(picture(30, 30)).toBuffer();
    const image = await images.read(bytes, mime);
    assert.ok(image.bytes.equals(bytes), mime);
  }
});

test('a picture over 512 pixels gets a thumbnail, upright and without any data', async () => {
  const bytes = await withPosition(picture(2000, 1000)).withMetadata({ orientation: 6 }).jpeg().toBuffer();
  const { thumbnail = Buffer.alloc(0), ...image } = await images.read(bytes, 'image/jpeg');
  assert.deepEqual([image.width, image.height], [1000, 2000]);
  const { width, height, format, exif, xmp } = await sharp(thumbnail).metadata();
  assert.deepEqual(
    { width, height, format, exif, xmp },
    { width: 256, height: 512, format: 'webp', exif: undefined, xmp: undefined },
  );
});

test('an animated picture keeps its frames', async () => {
  const frames = await Promise.all([picture(20, 20), picture(20, 20)].map((frame) => frame.png().toBuffer()));
  const gif = await sharp(frames, { join: { animated: true } })
    .gif()
    .toBuffer();
  const image = await images.read(gif, 'image/gif');
  assert.deepEqual([image.width, image.height], [20, 20]);
  assert.equal((await sharp(image.bytes, { animated: true }).metadata()).pages, 2);
});

test('what follows the end of a picture is cut off', async () => {
  for (const mime of ['image/png', 'image/webp'] as const) {
    const bytes = await formats[mime](picture(20, 20)).toBuffer();
    const image = await images.read(Buffer.concat([bytes, Buffer.from('<script>alert(1)</script>')]), mime);
    assert.ok(image.bytes.equals(bytes), mime);
  }
});

test('bytes that only begin like a picture are of no known type', async () => {
  const bytes = Buffer.from('GIF89a/*<script>alert(1)</script>*/');
  assert.deepEqual(await images.read(bytes, 'image/gif'), { bytes, mime: 'application/octet-stream' });
});

test('a damaged picture has a size but no thumbnail', async () => {
  const whole = await picture(1200, 800).jpeg().toBuffer();
  const image = await images.read(whole.subarray(0, whole.length / 2), 'image/jpeg');
  assert.equal(image.thumbnail, undefined);
});

test('a decompression bomb is refused by its size, before it is decoded', async () => {
  const started = performance.now();
  await assert.rejects(images.read(bomb(60_000, 60_000), 'image/png'), { code: 'INVALID_ARGUMENT' });
  assert.ok(performance.now() - started < 2000);
});

/** A PNG of 60 KB that would take gigabytes: its rows are all zero. */
function bomb(width: number, height: number): Buffer {
  const chunk = (type: string, content: Buffer) => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(content.length, 0);
    head.write(type, 4, 'latin1');
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(Buffer.concat([head.subarray(4), content])));
    return Buffer.concat([head, content, sum]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([1, 0, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.alloc(8 * 1024 * 1024))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** The tag of the position's directory, in either order of bytes; undefined if the data has no position. */
function gpsOf(exif: Buffer): number | undefined {
  const tiff = exif.toString('latin1', 0, 4) === 'Exif' ? exif.subarray(6) : exif;
  const little = tiff.toString('latin1', 0, 2) === 'II';
  const uint16 = (at: number) => (little ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at));
  const uint32 = (at: number) => (little ? tiff.readUInt32LE(at) : tiff.readUInt32BE(at));
  const directory = uint32(4);
  for (let at = directory + 2; at < directory + 2 + 12 * uint16(directory); at += 12) {
    if (uint16(at) === 0x8825) return uint16(uint32(at + 8)) || undefined;
  }
  return undefined;
}
