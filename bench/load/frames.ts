/** The fields that the load needs of a frame; it does not parse the others. */
export type IncomingFrame =
  | { type: 'new-message'; conversationId: string; seq: number; stamp: Stamp | undefined }
  | { type: 'message-ack'; clientMsgId: string; conversationId: string; seq: number; duplicate: boolean }
  | { type: 'error'; clientMsgId: string; code: string }
  | { type: 'welcome' }
  | { type: 'other' };

/** Part of a message's content, so that its receivers know its phase and its age. */
export type Stamp = { phase: number; sentAt: number };

const stampMark = 'gb:';
const contentMark = `"content":"${stampMark}`;

/** Content of `length` characters that starts with the stamp. */
export function stampedContent(stamp: Stamp, length: number): string {
  const head = `${stampMark}${stamp.phase}:${Math.round(stamp.sentAt)}:`;
  return head.length >= length ? head : head + padding(length - head.length);
}

/**
 * Reads frames. A process receives tens of thousands per second, so this reader finds a field by a text search for
 * its name: the benchmark's own contents have no quotes that could mislead the search. The members of a group get the
 * same bytes, so the reader caches the latest frames: comparing bytes is cheaper than reading them.
 */
export function createFrameReader(): (bytes: Buffer, from: number, to: number) => IncomingFrame {
  const slots = Array.from({ length: 1 << cacheBits }, () => ({
    bytes: Buffer.alloc(maxCachedLength),
    length: 0,
    frame: { type: 'other' } as IncomingFrame,
  }));
  return (bytes, from, to) => {
    const length = to - from;
    const slot = slots[slotOf(bytes, from)];
    if (!slot || length > maxCachedLength) return readFrame(bytes.toString('latin1', from, to));
    if (slot.length === length && bytes.compare(slot.bytes, 0, length, from, to) === 0) return slot.frame;
    slot.frame = readFrame(bytes.toString('latin1', from, to));
    bytes.copy(slot.bytes, 0, from, to);
    slot.length = length;
    return slot.frame;
  };
}

/**
 * The position of the last digits of the message id, which differ between messages. In other frames slots are used
 * less evenly.
 */
const hashedByte = 43;
const cacheBits = 10;
const maxCachedLength = 1024;

function slotOf(bytes: Buffer, from: number): number {
  let hash = 0;
  for (let at = from + hashedByte; at < from + hashedByte + 6; at += 1) hash = hash * 10 + (bytes[at] ?? 0);
  // Ids are timestamps shifted to the left: their low bits alone would put most of them into the same slots.
  return Math.imul(hash, 0x9e3779b1) >>> (32 - cacheBits);
}

export function readFrame(text: string): IncomingFrame {
  switch (stringField(text, 'type')) {
    case 'new-message':
      return {
        type: 'new-message',
        conversationId: stringField(text, 'conversationId'),
        seq: numberField(text, 'seqId'),
        stamp: stampOf(text),
      };
    case 'message-ack':
      return {
        type: 'message-ack',
        clientMsgId: stringField(text, 'clientMsgId'),
        conversationId: stringField(text, 'conversationId'),
        seq: numberField(text, 'seqId'),
        duplicate: text.includes('"duplicate":true'),
      };
    case 'error':
      return {
        type: 'error',
        clientMsgId: stringField(text, 'clientMsgId'),
        code: stringField(text, 'code'),
      };
    case 'welcome':
      return { type: 'welcome' };
    default:
      return { type: 'other' };
  }
}

/** The stamp of a message's content; undefined if the benchmark has not sent the message. */
export function readStamp(content: string): Stamp | undefined {
  return stampAt(content, content.startsWith(stampMark) ? stampMark.length : -1);
}

function stampOf(text: string): Stamp | undefined {
  const at = text.indexOf(contentMark);
  return stampAt(text, at < 0 ? -1 : at + contentMark.length);
}

function stampAt(text: string, from: number): Stamp | undefined {
  if (from < 0) return undefined;
  const middle = text.indexOf(':', from);
  const end = text.indexOf(':', middle + 1);
  return { phase: Number(text.slice(from, middle)), sentAt: Number(text.slice(middle + 1, end)) };
}

function stringField(text: string, name: string): string {
  const mark = `"${name}":"`;
  const at = text.indexOf(mark);
  if (at < 0) return '';
  const from = at + mark.length;
  return text.slice(from, text.indexOf('"', from));
}

function numberField(text: string, name: string): number {
  const mark = `"${name}":`;
  const at = text.indexOf(mark);
  if (at < 0) return 0;
  let value = 0;
  for (let index = at + mark.length; index < text.length; index += 1) {
    const digit = text.charCodeAt(index) - 48;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  return value;
}

let paddingText = 'x'.repeat(4000);

function padding(length: number): string {
  if (length > paddingText.length) paddingText = 'x'.repeat(length);
  return paddingText.slice(0, length);
}
