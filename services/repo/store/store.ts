// Room: stores of objects, in a directory or in a bucket of S3, all behind one interface. A store knows keys and bytes;
// what an object means, and which rows name it, belongs to the rooms above.

import type { Readable } from 'node:stream';

/**
 * Objects by key. An object is written once, as a whole, and never changed. Keys are relative paths of letters, digits
 * and `._=-`, such as `files/3f/3fa9`; no part begins with a dot. Calls reject with UNAVAILABLE while the store cannot
 * be reached, so that a missing object never looks like a missing store.
 */
export type ObjectStore = {
  /**
   * Stores an object unless the key exists. The object appears as a whole, when all of its bytes are safe, or not at all.
   * Rejects, and stores nothing, if the body does not have the given size or hash. A stream is consumed or destroyed in
   * any case.
   */
  put(key: string, body: Readable | Uint8Array, about: ObjectFacts): Promise<'stored' | 'existed'>;
  /**
   * An object, or a part of it, whose two ends are included as in HTTP; undefined if there is none. The caller must read
   * the body to its end or destroy it. Rejects with a RangeError if the part begins beyond the end.
   */
  get(key: string, part?: Part, options?: { signal?: AbortSignal }): Promise<StoredObject | undefined>;
  head(key: string): Promise<ObjectHead | undefined>;
  /** Deletes an object with all versions that a bucket keeps of it. Does nothing if there is none. */
  delete(key: string): Promise<void>;
  /** The objects whose keys begin with the prefix, in no particular order. */
  list(prefix: string): AsyncIterable<ListedObject>;
  close(): Promise<void>;
};

/** `sha256` is in hexadecimal digits. */
export type ObjectFacts = { size: number; sha256?: string; contentType?: string };
export type Part = { start: number; end: number };
/** `size` is the size of the whole object, also with a part of its body. */
export type StoredObject = { body: Readable; size: number; etag?: string };
/** `modifiedAt` is in Unix milliseconds. */
export type ObjectHead = { size: number; modifiedAt: number; etag?: string };
export type ListedObject = { key: string; size: number; modifiedAt: number };

const maxKeyLength = 512;
const keyPart = /^[\w=-][\w.=-]*$/;

/** Throws if a key could leave the store's directory, or is not valid in every kind of store. */
export function checkKey(key: string): void {
  if (key.length > maxKeyLength || !key.split('/').every((part) => keyPart.test(part))) {
    throw new Error('the key of an object is not valid');
  }
}

/** The part of an object that exists. Throws a RangeError if it begins beyond the end of the object. */
export function existingPart({ start, end }: Part, size: number): Part {
  if (start < 0 || start > end || start >= size) throw new RangeError('the part is not in the object');
  return { start, end: Math.min(end, size - 1) };
}

/** True if an error tells of the caller's request, not of the store: it says nothing about whether the store works. */
export const isCallersFault = (error: unknown): boolean =>
  error instanceof RangeError || error instanceof WrongBody;

/** The body of a new object does not have the size or the hash that the caller gave. */
export class WrongBody extends Error {
  override readonly name = 'WrongBody';
}
