import { isId } from '../../../lib/domain/ids.ts';
import { bodyFromRecord, bodyRefusal, readRecordBody } from '../../../lib/domain/message-body.ts';
import { conversationNotFound } from '../../../lib/domain/refusals.ts';
import type { GoChatError } from '../../../lib/errors.ts';
import { toOrderedFrame } from '../../../lib/records/ordered-frames.ts';
import type { OrderedEvent, OrderedFrame, UpstreamMessage } from '../../../lib/records/records.ts';

/** A record of the upstream topic while this process handles it. */
export type Item = {
  partition: number;
  offset: number;
  /** The unchanged record, which becomes a dead record if it cannot be processed. */
  key: Buffer | null;
  value: Buffer | null;
  /** Size of the record's value. */
  bytes: number;
  /**
   * The id of the claim under which it was fetched. The item is void if another process has got the partition since.
   */
  claim: number;
  /** performance.now() when it was queued. */
  queuedAt: number;
  /** True if its sender got an error because it takes too long. */
  notified: boolean;
  content: Content;
};

export type Content =
  | { kind: 'message'; message: UpstreamMessage }
  /** A message with invalid fields, which is refused without asking im-repo. */
  | { kind: 'refused'; message: UpstreamMessage; error: GoChatError }
  | { kind: 'event'; event: OrderedFrame }
  /** No valid upstream record. */
  | { kind: 'malformed'; reason: string };

export function readItem(
  record: { offset: string; key: Buffer | null; value: Buffer | null },
  partition: number,
  claim: number,
): Item {
  return {
    partition,
    offset: Number(record.offset),
    key: record.key,
    value: record.value,
    bytes: record.value?.length ?? 0,
    claim,
    queuedAt: performance.now(),
    notified: false,
    content: readContent(record.value),
  };
}

function readContent(value: Buffer | null): Content {
  let record: unknown;
  try {
    record = JSON.parse(value?.toString('utf8') ?? '');
  } catch {
    return { kind: 'malformed', reason: 'not JSON' };
  }
  if (!isObject(record)) return { kind: 'malformed', reason: 'not an object' };
  if ('event' in record) {
    const event = readEvent(record.event);
    return event ? { kind: 'event', event } : { kind: 'malformed', reason: 'not an event of a conversation' };
  }
  const message = readMessage(record);
  if (!message) return { kind: 'malformed', reason: 'not an upstream message' };
  const error = refusal(message);
  return error ? { kind: 'refused', message, error } : { kind: 'message', message };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function readMessage(record: Record<string, unknown>): UpstreamMessage | undefined {
  const { user_id, conversation_id, timestamp } = record;
  const { gateway_id = '', gateway_boot_id = '', session_id = '' } = record;
  if (typeof user_id !== 'string' || !isId(user_id)) return undefined;
  if (typeof conversation_id !== 'string' || typeof timestamp !== 'number') return undefined;
  if (typeof gateway_id !== 'string' || typeof gateway_boot_id !== 'string') return undefined;
  if (typeof session_id !== 'string') return undefined;
  const body = readRecordBody(record);
  if (!body) return undefined;
  return { user_id, conversation_id, ...body, timestamp, gateway_id, gateway_boot_id, session_id };
}

const isStrings = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string');

function refusal(message: UpstreamMessage): GoChatError | undefined {
  if (!isId(message.conversation_id)) return conversationNotFound();
  return bodyRefusal(bodyFromRecord(message));
}

function readEvent(value: unknown): OrderedFrame | undefined {
  if (!isObject(value)) return undefined;
  const { event_id, conversation_id, extra_user_ids = [] } = value;
  if (typeof event_id !== 'string' || !isStrings(extra_user_ids)) return undefined;
  if (typeof conversation_id !== 'string' || !isId(conversation_id)) return undefined;
  const event = { ...value, event_id, conversation_id, extra_user_ids };
  if (isFrame(event)) return event;
  return isEvent(event) ? toOrderedFrame(event) : undefined;
}

/** Checks of the fields of each type of event. */
const hasFieldsOf: Record<OrderedEvent['type'], (event: Record<string, unknown>) => boolean> = {
  'conversation.updated': ({ conversation }) => isObject(conversation),
  'conversation.dissolved': () => true,
  'conversation.member.added': ({ members }) => Array.isArray(members) && members.every(isObject),
  'conversation.member.removed': ({ user_ids, last_seq_id }) =>
    isStrings(user_ids) && typeof last_seq_id === 'number',
  'message.recalled': ({ message_id, seq_id }) =>
    typeof message_id === 'number' && typeof seq_id === 'number',
  'message.changed': ({ change_seq, message }) =>
    typeof change_seq === 'number' && isObject(message) && isObject(message.sender_info),
};

function isEvent(event: Record<string, unknown>): event is OrderedEvent {
  const { type, actor_id } = event;
  if (typeof type !== 'string' || typeof actor_id !== 'string') return false;
  return Object.hasOwn(hasFieldsOf, type) && hasFieldsOf[type as OrderedEvent['type']](event);
}

/** True for an event in the format of earlier versions, which contains the frame itself. */
function isFrame(event: Record<string, unknown>): event is OrderedFrame {
  const { frame, data, last_seq_id } = event;
  if (typeof frame !== 'string' || !isObject(data)) return false;
  return last_seq_id === undefined || typeof last_seq_id === 'number';
}
