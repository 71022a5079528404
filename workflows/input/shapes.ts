import { isId, isIdNumber } from '../../lib/domain/ids.ts';

/** What a value must be. The type is what it then is. */
export type Shape<T> = {
  /** What is wrong with a value, one sentence each; `at` names it. */
  complaints(value: unknown, at: string): string[];
  /** Never there: it carries the type. */
  readonly type?: T;
};

/** A shape for each field of a type: a field that is added to the type needs one. */
type Fields<T> = { [Name in keyof Required<T>]: Shape<T[Name]> };

const longestMs = 100 * 365 * 24 * 3_600_000;
/** Beyond it there is no Date. */
const lastMoment = 8.64e15;

export const flag: Shape<boolean> = leaf((value) => typeof value === 'boolean', 'true or false');
export const text: Shape<string> = leaf((value) => typeof value === 'string', 'a text');
/** An id that only whoever made it can read, or a key. */
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
  (value) => Number.isSafeInteger(value) && inside(value, 1, longestMs),
  'a whole number of milliseconds above 0 and below a hundred years',
);
/** A time that may be over already. */
export const wait: Shape<number> = leaf(
  (value) => inside(value, -longestMs, longestMs),
  'a number of milliseconds',
);
/** Unix milliseconds. */
export const moment: Shape<number> = leaf((value) => inside(value, -lastMoment, lastMoment), 'a time');
export const count: Shape<number> = leaf(
  (value) => Number.isSafeInteger(value) && Number(value) >= 0,
  'a whole number',
);

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

/** An object; fields that are not known are left alone, since a newer sender may have them. */
export const object = <T extends object>(fields: Fields<T>): Shape<T> => ({
  complaints: (value, at) => complaintsOfFields(value, at, fields),
});

/** An object that people write by hand: a misspelt `dryRun` must not be a real run. */
export const exactly = <T extends object>(fields: Fields<T>): Shape<T> => ({
  complaints(value, at) {
    const known = Object.keys(fields);
    const strangers = isObject(value) ? Object.keys(value).filter((name) => !known.includes(name)) : [];
    return [
      ...strangers.map((name) => `${within(at, name)} is none of ${known.join(', ')}`),
      ...complaintsOfFields(value, at, fields),
    ];
  },
});

/** One of several objects, told apart by the value of one field. */
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

function leaf<T>(is: (value: unknown) => boolean, says: string): Shape<T> {
  return { complaints: (value, at) => (is(value) ? [] : [`${at} must be ${says}`]) };
}

/** What the input as a whole is called. */
export const root = 'it';

const within = (at: string, name: string): string => (at === root ? name : `${at}.${name}`);

const inside = (value: unknown, least: number, most: number): boolean =>
  typeof value === 'number' && value >= least && value <= most;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
