/** What the load reads of a frame. The rest of it is not even parsed. */
export type IncomingFrame =
  | { type: 'new-message'; conversationId: string; seq: number; stamp: Stamp | undefined }
  | { type: 'message-ack'; clientMsgId: string; conversationId: string; seq: number; duplicate: boolean }
  | { type: 'error'; clientMsgId: string; code: string }
  | { type: 'welcome' }
  | { type: 'other' };

/** Travels in a message's content, so that whoever receives it knows its phase and age. */
export type Stamp = { phase: number; sentAt: number };

const stampMark = 'gb:';
const contentMark = `"content":"${stampMark}`;

/** Content of `length` characters that begins with the stamp. */
export function stampedContent(stamp: Stamp, length: number): string {
  const head = `${stampMark}${stamp.phase}:${Math.round(stamp.sentAt)}:`;
  return head.length >= length ? head : head + padding(length - head.length);
}

/**
 * Reads a frame. Tens of thousands a second arrive in one process, so a field is found by searching for its name:
 * contents of our own making hold no quotes that could deceive the search.
 */
export function readFrame(frame: Buffer): IncomingFrame {
  const text = frame.toString('latin1');
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

/** The stamp of a message's content, undefined for content that is not ours. */
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
