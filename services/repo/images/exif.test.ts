import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blankPosition, onlyOrientation, orientationOf } from './exif.ts';
import { withoutPosition } from './image-metadata.ts';

/** A TIFF with the maker's name, an orientation, and the rationals of a position beside its directory. */
function tiffWithPosition(little: boolean): Buffer {
  const bytes = Buffer.alloc(120, 0x55);
  const uint16 = (value: number, at: number) =>
    little ? bytes.writeUInt16LE(value, at) : bytes.writeUInt16BE(value, at);
  const uint32 = (value: number, at: number) =>
    little ? bytes.writeUInt32LE(value, at) : bytes.writeUInt32BE(value, at);
  const entry = (at: number, tag: number, type: number, count: number, value: number) => {
    uint16(tag, at);
    uint16(type, at + 2);
    uint32(count, at + 4);
    if (type === 3) uint16(value, at + 8);
    else uint32(value, at + 8);
  };
  bytes.write(little ? 'II*\0' : 'MM\0*', 0, 'latin1');
  uint32(8, 4);
  uint16(2, 8);
  entry(10, 0x0112, 3, 1, 6);
  entry(22, 0x8825, 4, 1, 50);
  uint32(0, 34);
  uint16(1, 50);
  // Latitude: three rationals, at 70.
  entry(52, 2, 5, 3, 70);
  uint32(0, 64);
  bytes.write('47 degrees 22 minutes...', 70, 'latin1');
  return bytes;
}

test('a position is overwritten where it is, in both orders of bytes, and nothing else', () => {
  for (const little of [true, false]) {
    const tiff = tiffWithPosition(little);
    const blank = withoutPosition(tiff, 'image/tiff');
    assert.equal(blank.length, tiff.length);
    assert.ok(!blank.includes('degrees') && tiff.includes('degrees'));
    assert.equal(orientationOf(blank), 6);
    assert.ok(blank.subarray(94).equals(tiff.subarray(94)));
    const behind = withoutPosition(Buffer.concat([Buffer.from('....Exif\0\0'), tiff]), 'image/heic');
    assert.ok(!behind.includes('degrees'));
  }
});

test('data that lies about its offsets and lengths is read without harm', () => {
  const tiff = tiffWithPosition(true);
  for (let at = 0; at < tiff.length - 4; at++) {
    for (const value of [0, 1, 0xffff, 0x7fffffff, 0xffffffff]) {
      const broken = Buffer.from(tiff);
      broken.writeUInt32LE(value, at);
      blankPosition(broken);
      assert.ok(orientationOf(broken) >= 1);
      const cut = Buffer.from(tiff.subarray(0, at));
      blankPosition(cut);
      orientationOf(cut);
    }
  }
});

test('an orientation survives alone', () => {
  for (let orientation = 1; orientation <= 8; orientation++) {
    assert.equal(orientationOf(onlyOrientation(orientation)), orientation);
  }
  assert.equal(orientationOf(Buffer.from('no such data')), 1);
});
