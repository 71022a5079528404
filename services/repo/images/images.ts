// Room: images as bytes: their size, a small copy, and what must be taken out of them. It knows no files and no users.

import pLimit from 'p-limit';
import { invalid } from '../../../lib/domain/refusals.ts';
import type { Logger } from '../../../lib/log.ts';
import { withoutPosition } from './image-metadata.ts';

/** Sizes are in pixels, as the image is shown upright. They are absent if it can't be decoded here. */
export type Image = {
  bytes: Buffer;
  /** `application/octet-stream` if the bytes are not the image that they begin like. */
  mime: string;
  width?: number;
  height?: number;
  /** Of images that are larger than a thumbnail. */
  thumbnail?: Buffer;
};

export type Images = {
  /** Takes the position out of an image, and reads its size. Throws INVALID_ARGUMENT if it has too many pixels. */
  read(bytes: Buffer, mime: string): Promise<Image>;
};

export const thumbnailMime = 'image/webp';
export const unknownMime = 'application/octet-stream';
/** The longer side of a thumbnail. A smaller image has none. */
export const thumbnailPixels = 512;
/** A larger image would take gigabytes of a client's memory. */
const maxPixels = 128 * 1024 * 1024;
/** An image is decoded for its thumbnail up to this size, which takes up to 4 bytes per pixel in some formats. */
const maxDecodedPixels = 40 * 1024 * 1024;
const thumbnailSeconds = 20;
/** One at a time: decoding takes memory, and a core that messages need. */
const maxConcurrent = 1;

/** The formats that are decoded, by their names in the library. SVG is none of them: it is a program. */
const formats: Record<string, string> = {
  'image/avif': 'heif',
  'image/gif': 'gif',
  'image/jpeg': 'jpeg',
  'image/png': 'png',
  'image/tiff': 'tiff',
  'image/webp': 'webp',
};

export function createImages({ log }: { log: Logger }): Images {
  const limit = pLimit(maxConcurrent);

  async function thumbnailOf(sharp: Sharp, bytes: Buffer): Promise<Buffer | undefined> {
    try {
      return await sharp(bytes, { limitInputPixels: maxDecodedPixels, sequentialRead: true, failOn: 'error' })
        .autoOrient()
        .resize(thumbnailPixels, thumbnailPixels, { fit: 'inside', withoutEnlargement: true })
        .timeout({ seconds: thumbnailSeconds })
        .webp({ quality: 80 })
        .toBuffer();
    } catch (error) {
      log.info({ err: error }, 'an image cannot be decoded and gets no thumbnail');
      return undefined;
    }
  }

  async function read(bytes: Buffer, mime: string): Promise<Image> {
    const format = formats[mime];
    if (format === undefined) return { bytes: withoutPosition(bytes, mime), mime };
    const sharp = await loadSharp();
    const facts = await sharp(bytes, { limitInputPixels: false })
      .metadata()
      .catch(() => undefined);
    if (facts?.format !== format || !facts.width || !facts.height) return { bytes, mime: unknownMime };
    const pixels = facts.width * facts.height;
    if (pixels > maxPixels) {
      throw invalid(
        'file',
        `must be an image of at most ${Math.floor(maxPixels / 1_000_000)} million pixels`,
      );
    }
    const { width, height } = uprightSize(facts.width, facts.height, facts.orientation);
    const isLarge = Math.max(width, height) > thumbnailPixels && pixels <= maxDecodedPixels;
    const thumbnail = isLarge ? await thumbnailOf(sharp, bytes) : undefined;
    return { bytes: withoutPosition(bytes, mime), mime, width, height, ...(thumbnail ? { thumbnail } : {}) };
  }

  return { read: (bytes, mime) => limit(() => read(bytes, mime)) };
}

/** Orientations from 5 on turn an image to its side. */
const uprightSize = (width: number, height: number, orientation = 1) =>
  orientation >= 5 ? { width: height, height: width } : { width, height };

type Sharp = Awaited<ReturnType<typeof loadSharp>>;

/** Loaded with the first image, because the library takes memory that a system without images does not need. */
async function loadSharp() {
  const { default: sharp } = await import('sharp');
  sharp.cache(false);
  sharp.concurrency(1);
  return sharp;
}
