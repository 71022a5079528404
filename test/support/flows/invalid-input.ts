import { encodingKeys, RawValue } from '@temporalio/common';

/** Fields that a valid input may leave out. */
const optionalFields = [
  'opening',
  'dryRun',
  'olderThanMs',
  'olderThanDays',
  'keepNewest',
  'graceHours',
  'wholeMonths',
  'idleMs',
  'redactMessages',
  'recall',
  'mute',
  'unmute',
  'textsId',
  'message',
  'name',
  'avatarUrl',
  'description',
];

export type Json = Record<string, unknown>;
export const isNothing = (value: unknown): boolean => value === null || JSON.stringify(value) === '{}';
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** All values that differ from a valid one in one place: a field is missing, null or of another type. */
export function invalidVariants(right: unknown): unknown[] {
  if (Array.isArray(right)) {
    const [first, ...rest] = right;
    return [null, 'x', {}, ...invalidVariants(first).map((wrong) => [wrong, ...rest])];
  }
  if (!isObject(right)) return [null, typeof right === 'string' ? 7 : 'x'];
  const fields = Object.keys(right).flatMap((name) => {
    const { [name]: value, ...others } = right;
    const missing = optionalFields.includes(name) ? [] : [others];
    return [...missing, ...invalidVariants(value).map((wrong) => ({ ...others, [name]: wrong }))];
  });
  return [null, 'x', [], ...fields];
}

const payloadOf = (encoding: Uint8Array, data = '') =>
  RawValue.fromPayload({ metadata: { encoding }, data: Buffer.from(data) });

/** Input that no flow can read, as a person may send it with the CLI's `--input-meta`. */
export const unreadable = [
  payloadOf(Buffer.from('x'), '{}'),
  payloadOf(Buffer.from('json/protobuf'), '{}'),
  payloadOf(encodingKeys.METADATA_ENCODING_JSON, '{"userId":'),
  payloadOf(encodingKeys.METADATA_ENCODING_JSON),
  payloadOf(encodingKeys.METADATA_ENCODING_RAW),
  RawValue.fromPayload({ data: Buffer.from('{}') }),
];
