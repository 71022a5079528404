import { isId, isIdNumber } from '../../lib/domain/ids.ts';

/** A check of a value at run time; T is the type of a value that passes. */
export type Shape<T> = {
  /** One sentence per mistake in the value, without a full stop; `at` is the value's name in them. Empty if valid. */
  complaints(value: unknown, at: string): string[];
  /** Never set: it only binds the type parameter. */
  readonly type?: T;
};

/** One shape per field of a type, so that the compiler demands a shape for each new field. */
type Fields<T> = { [Name in keyof Required<T>]: Shape<T[Name]> };

const maxDurationMs = 100 * 365 * 24 * 3_600_000;
/** The highest time value of a Date. */
const maxTimestamp = 8.64e15;

export const flag: Shape<boolean> = leaf((value) => typeof value === 'boolean', 'true or false');
export const text: Shape<string> = leaf((value) => typeof value === 'string', 'a text');
/** An opaque id or key. */
export const name: Shape<string> = leaf(
  (value) => typeof value === 'string' && value !== '' && value.length <= 500,
  'a text of 1 to 500 characters',
);
export const userId: Shape<string> = leaf(
  (value) => typeof value === 'string' && isId(value),
  'a user id, a decimal number written as a text',
);
export const messageId: Shape<number> = leaf(isIdNumber, 'a message id, a whole number above 0');
export const milliseconds: Shape<number> = leaf(
  (value) => Number.isSafeInteger(value) && inside(value, 1, maxDurationMs),
  'a whole number of milliseconds above 0 and below a hundred years',
);
/** A duration in milliseconds; negative if its end has passed. */
export const wait: Shape<number> = leaf(
  (value) => inside(value, -maxDurationMs, maxDurationMs),
  'a number of milliseconds',
);
/** Unix milliseconds. */
export const moment: Shape<number> = leaf((value) => inside(value, -maxTimestamp, maxTimestamp), 'a time');
export const count: Shape<number> = leaf(
  (value) => Number.isSafeInteger(value) && Number(value) >= 0,
  'a whole number',
);

/** Of days, hours or other things; it may have a fraction. */
export const amount: Shape<number> = leaf((value) => inside(value, 0, 1e9), 'a number from 0 to a billion');

export const oneOf = <T extends string>(...values: T[]): Shape<T> =>
  leaf((value) => values.some((one) => one === value), `one of ${values.join(', ')}`);

export const optional = <T>(shape: Shape<T>): Shape<T | undefined> => ({
  complaints: (value, at) => (value === undefined ? [] : shape.complaints(value, at)),
});

export const list = <T>(item: Shape<T>): Shape<T[]> => ({
  complaints: (value, at) =>
    Array.isArray(value)
      ? value.flatMap((one, index) => item.complaints(one, `${at}[${index}]`))
      : [`${at} must be a list`],
});

export const pair = <T>(item: Shape<T>): Shape<[T, T]> => ({
  complaints: (value, at) =>
    Array.isArray(value) && value.length !== 2 ? [`${at} must be two`] : list(item).complaints(value, at),
});

/** An object; unknown fields are allowed, since a newer sender may add some. */
export const object = <T extends object>(fields: Fields<T>): Shape<T> => ({
  complaints: (value, at) => complaintsOfFields(value, at, fields),
});

/**
 * An object without unknown fields, for input that people write by hand: a misspelt `dryRun` must not start a real
 * run.
 */
export const exactly = <T extends object>(fields: Fields<T>): Shape<T> => ({
  complaints(value, at) {
    const known = Object.keys(fields);
    const unknown = isObject(value) ? Object.keys(value).filter((name) => !known.includes(name)) : [];
    return [
      ...unknown.map((name) => `${within(at, name)} is none of ${known.join(', ')}`),
      ...complaintsOfFields(value, at, fields),
    ];
  },
});

/** One of several objects; the value of the field `key` selects which. */
export const either = <T extends Record<Key, string>, Key extends string>(
  key: Key,
  shapes: { [Value in T[Key]]: Shape<T> },
): Shape<T> => ({
  complaints(value, at) {
    if (!isObject(value)) return [`${at} must be an object with ${key}`];
    const kind = value[key];
    if (typeof kind !== 'string' || !Object.hasOwn(shapes, kind)) {
      return [`${within(at, key)} must be one of ${Object.keys(shapes).join(', ')}`];
    }
    return shapes[kind as T[Key]].complaints(value, at);
  },
});

function complaintsOfFields<T>(value: unknown, at: string, fields: Fields<T>): string[] {
  if (!isObject(value)) return [`${at} must be an object with ${Object.keys(fields).join(', ')}`];
  return Object.entries<Shape<unknown>>(fields).flatMap(([name, shape]) =>
    shape.complaints(Object.hasOwn(value, name) ? value[name] : undefined, within(at, name)),
  );
}

function leaf<T>(is: (value: unknown) => boolean, expected: string): Shape<T> {
  return { complaints: (value, at) => (is(value) ? [] : [`${at} must be ${expected}`]) };
}

/** The name of the whole input in complaints. */
export const root = 'it';

const within = (at: string, name: string): string => (at === root ? name : `${at}.${name}`);

const inside = (value: unknown, min: number, max: number): boolean =>
  typeof value === 'number' && value >= min && value <= max;

/** Bytes are no object, although an empty Uint8Array looks like one without fields. */
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
