import type { DeadRecord } from './records.ts';

/** Where a record lay, and its bytes as they were. */
export type Original = {
  topic: string;
  /** -1 for what never came to lie in a partition. */
  partition: number;
  offset: string;
  key: Buffer | null;
  value: Buffer | null;
};

/** The broker takes records of up to a mebibyte; what is cut beyond these bounds is said in `error`. */
const longestKey = 32 * 1024;
const longestValue = 576 * 1024;
const longestText = 100 * 1024;

/**
 * What is produced to gochat.messages.dead for a record that nobody could process: under its own key, so that records of
 * one thing stay together and in order, and with its bytes beside the text, which shows what is no UTF-8 as U+FFFD.
 */
export function buryRecord(original: Original, error: unknown): { key: Buffer | null; value: string } {
  const { topic, partition, offset, key } = original;
  const value = original.value ?? Buffer.alloc(0);
  const isKeyKept = key === null || key.length <= longestKey;
  const cuts = [
    ...(value.length > longestValue ? [`the first ${longestValue} of ${value.length} bytes are kept`] : []),
    ...(isKeyKept ? [] : [`its key of ${key.length} bytes is left out`]),
  ];
  const dead: DeadRecord = {
    topic,
    partition,
    offset,
    error: [reasonOf(error), ...cuts].join('; '),
    record: fittingText(value),
    record_base64: value.subarray(0, longestValue).toString('base64'),
  };
  return { key: isKeyKept ? key : null, value: JSON.stringify(dead) };
}

const reasonOf = (error: unknown): string =>
  (typeof error === 'string' ? error : String(error)).slice(0, 4096);

/** Escaped, a character of one byte may take six. */
function fittingText(value: Buffer): string {
  const text = value.subarray(0, longestText).toString('utf8');
  return Buffer.byteLength(JSON.stringify(text)) <= longestText ? text : text.slice(0, longestText / 8);
}
