import { crc32, deflateSync } from 'node:zlib';
import { createRandom } from '../../bench/measure/random.ts';

const width = 320;
const height = 200;
/** The first byte of a line is its filter: 0 for none. */
const lineLength = 1 + 3 * width;
type Colour = readonly [red: number, green: number, blue: number];

/** The colours of the sky from top to bottom, of the sun, and of the hills from far to near. */
interface Light {
  top: Colour;
  bottom: Colour;
  sun: Colour;
  hills: readonly Colour[];
}

const lights: readonly Light[] = [
  {
    top: [60, 130, 210],
    bottom: [205, 230, 245],
    sun: [255, 250, 220],
    hills: [
      [130, 165, 150],
      [80, 130, 95],
      [45, 90, 60],
    ],
  },
  {
    top: [45, 40, 90],
    bottom: [250, 150, 95],
    sun: [255, 225, 150],
    hills: [
      [125, 75, 105],
      [80, 50, 85],
      [40, 28, 55],
    ],
  },
  {
    top: [150, 170, 190],
    bottom: [235, 225, 215],
    sun: [255, 245, 235],
    hills: [
      [165, 175, 185],
      [115, 130, 145],
      [70, 85, 100],
    ],
  },
];

/** A landscape in PNG: hills before a sky with a sun, the same for the same seed. */
export function paintLandscape(seed: number): Buffer {
  const random = createRandom(seed);
  const { top, bottom, sun, hills } = random.pick(lights);
  const sunAt = {
    x: random.between(40, width - 40),
    y: random.between(30, 90),
    radius: random.between(12, 24),
  };
  const ridges = hills.map((colour, layer) => {
    const [base, length, shift] = [100 + 30 * layer, random.between(30, 70), random.between(0, 300)];
    const ridgeAt = (x: number) =>
      base + 16 * Math.sin((x + shift) / length) + 6 * Math.sin((x + 2 * shift) / (length / 3));
    return { colour, ridge: Array.from({ length: width }, (_, x) => ridgeAt(x)) };
  });
  const colourAt = (x: number, y: number): Colour => {
    const hill = ridges.findLast(({ ridge }) => y >= (ridge[x] ?? height));
    if (hill) return hill.colour;
    if (Math.hypot(x - sunAt.x, y - sunAt.y) < sunAt.radius) return sun;
    return mix(top, bottom, y / height);
  };
  const lines = Buffer.alloc(height * lineLength);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) lines.set(colourAt(x, y), y * lineLength + 1 + 3 * x);
  }
  return png(lines);
}

const mix = ([r, g, b]: Colour, [red, green, blue]: Colour, share: number): Colour => [
  Math.round(r + (red - r) * share),
  Math.round(g + (green - g) * share),
  Math.round(b + (blue - b) * share),
];

function png(lines: Buffer): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // Eight bits for each of red, green and blue.
  header.set([8, 2], 8);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(lines)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), content]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(content.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}
