import type { DeadRecord } from '../records/records.ts';

/** The original record: its position and its unchanged bytes. */
export type Original = {
  topic: string;
  /** -1 for a record that was never written to a partition. */
  partition: number;
  offset: string;
  key: Buffer | null;
  value: Buffer | null;
};

/** Bounds in bytes, since the broker accepts records of up to 1 MiB. If a part is cut, `error` says so. */
const maxKeyBytes = 32 * 1024;
const maxValueBytes = 576 * 1024;
const maxTextBytes = 100 * 1024;

/**
 * Builds the record for gochat.messages.dead about a record that could not be processed. It has the original key, so
 * that records with the same key stay in one partition and in order. It has the original bytes besides the text,
 * since the text shows bytes that are no UTF-8 as U+FFFD.
 */
export function buildDeadRecord(original: Original, error: unknown): { key: Buffer | null; value: string } {
  const { topic, partition, offset, key } = original;
  const value = original.value ?? Buffer.alloc(0);
  const isKeyKept = key === null || key.length <= maxKeyBytes;
  const cuts = [
    ...(value.length > maxValueBytes ? [`the first ${maxValueBytes} of ${value.length} bytes are kept`] : []),
    ...(isKeyKept ? [] : [`its key of ${key.length} bytes is left out`]),
  ];
  const dead: DeadRecord = {
    topic,
    partition,
    offset,
    error: [reasonOf(error), ...cuts].join('; '),
    record: fittingText(value),
    record_base64: value.subarray(0, maxValueBytes).toString('base64'),
  };
  return { key: isKeyKept ? key : null, value: JSON.stringify(dead) };
}

const reasonOf = (error: unknown): string =>
  (typeof error === 'string' ? error : String(error)).slice(0, 4096);

/** The value as text whose JSON has at most `maxTextBytes`. JSON may escape a character of one byte with six. */
function fittingText(value: Buffer): string {
  const text = value.subarray(0, maxTextBytes).toString('utf8');
  return Buffer.byteLength(JSON.stringify(text)) <= maxTextBytes ? text : text.slice(0, maxTextBytes / 8);
}
