/**
 * The index is divided into blocks of consecutive seq ids. A row of search_terms has the messages of one block that
 * contain a term, as their places in the block: two bytes each, in any order.
 */
export const blockSize = 1024;

export const blockOf = (seqId: number): number => Math.floor(seqId / blockSize);
export const placeOf = (seqId: number): number => seqId % blockSize;
export const seqIdAt = (block: number, place: number): number => block * blockSize + place;
/** The first and the last seq id of a block. Seq ids begin with 1. */
export const firstSeqOf = (block: number): number => Math.max(1, block * blockSize);
export const lastSeqOf = (block: number): number => (block + 1) * blockSize - 1;

const placeBytes = 2;

export const encodePlaces = (places: Iterable<number>): Buffer => {
  const bytes: number[] = [];
  for (const place of places) bytes.push(place >> 8, place & 255);
  return Buffer.from(bytes);
};

export function decodePlaces(bytes: Buffer): Set<number> {
  const places = new Set<number>();
  for (let at = 0; at + placeBytes <= bytes.length; at += placeBytes) places.add(bytes.readUInt16BE(at));
  return places;
}

/**
 * The times of every eighth message of a block, by which a search knows roughly when the others were sent, without
 * reading them: eight bytes each, the place and Unix milliseconds.
 */
const sampledPlaces = 8;
const sampleBytes = 8;

export type Sample = { place: number; at: number };

export const isSampled = (place: number): boolean => place % sampledPlaces === 0;

export function encodeSamples(samples: readonly Sample[]): Buffer {
  const bytes = Buffer.alloc(samples.length * sampleBytes);
  samples.forEach(({ place, at }, index) => {
    bytes.writeUInt16BE(place, index * sampleBytes);
    bytes.writeUIntBE(at, index * sampleBytes + 2, 6);
  });
  return bytes;
}

/** In the order of their places. */
export function decodeSamples(bytes: Buffer): Sample[] {
  const samples: Sample[] = [];
  for (let at = 0; at + sampleBytes <= bytes.length; at += sampleBytes)
    samples.push({ place: bytes.readUInt16BE(at), at: bytes.readUIntBE(at + 2, 6) });
  return samples.sort((a, b) => a.place - b.place);
}

/**
 * Messages of a conversation are created in the order of their places, but for the differences of the clocks of the
 * processes that create them. Those of hosts in step with a time server differ by some milliseconds; with more than this
 * a search might leave messages out at the border of a page.
 */
const maxClockDifferenceMs = 2000;

/** The latest time at which a message up to a place may have been created; Infinity if the samples do not tell. */
export function latestUpTo(samples: readonly Sample[], place: number): number {
  let latest = -Infinity;
  for (const sample of samples) {
    latest = Math.max(latest, sample.at);
    if (sample.place >= place) return latest + maxClockDifferenceMs;
  }
  return Infinity;
}

/** Between which places all messages are that were created from one time to another. */
export function placesOfTime(
  samples: readonly Sample[],
  from: number,
  to: number,
): { after: number; before: number } {
  let after = -1;
  let latest = -Infinity;
  for (const { place, at } of samples) {
    latest = Math.max(latest, at);
    if (latest + maxClockDifferenceMs >= from) break;
    after = place;
  }
  let before = Infinity;
  let earliest = Infinity;
  for (const { place, at } of samples.toReversed()) {
    earliest = Math.min(earliest, at);
    if (earliest - maxClockDifferenceMs <= to) break;
    before = place;
  }
  return { after, before };
}
