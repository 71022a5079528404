import type { DownstreamAck, DownstreamEvent, MessageFacts } from './records.ts';

/** Maximum size of a record: below the broker's limit of 1 MiB, with room for the framing of the batch. */
export const maxRecordBytes = 900_000;

/** The addressee of a downstream record: a receiver, and one start (boot) of its process. */
export type Route = { receiverId: string; bootId: string };

export type BuiltRecord = Route & { value: string; bytes: number };

/** The fields that name the users whom an event is for. */
type TargetFields = 'target_user_ids' | 'broadcast' | 'newcomer_ids';
/** An event without the fields that name its targets. */
export type EventBody = DownstreamEvent extends infer E
  ? E extends unknown
    ? Omit<E, TargetFields>
    : never
  : never;

/**
 * Pieces of a record's JSON: fields without the surrounding braces. With them, a message for several gateways and the
 * targets of several messages are encoded once. Only the functions below create pieces, so that they always fit
 * together.
 */
declare const piece: unique symbol;
type Piece<Name> = string & { readonly [piece]: Name };
export type Targets = Piece<'targets'>;
export type EncodedMessage = Piece<'message'>;
export type EncodedEvent = Piece<'event'>;

/** Targets all users of the gateway. */
export const everyone = '"broadcast":true,' as Targets;

/** Targets users with a message. `newcomerIds` names users who joined recently, some of whom may not be targets. */
export const messageTargets = (userIds: readonly string[], newcomerIds: readonly string[]): Targets =>
  userIds.length === 1
    ? (`"target_user_id":${JSON.stringify(userIds[0])},${newcomers(newcomerIds)}` as Targets)
    : eventTargets(userIds, newcomerIds);

/** Targets users with an event. Unlike a message, an event has no short form for a single user. */
export const eventTargets = (userIds: readonly string[], newcomerIds: readonly string[]): Targets =>
  `"target_user_ids":${JSON.stringify(userIds)},${newcomers(newcomerIds)}` as Targets;

const newcomers = (userIds: readonly string[]): string =>
  userIds.length === 0 ? '' : `"newcomer_ids":${JSON.stringify(userIds)},`;

export const encodeMessage = (message: MessageFacts): EncodedMessage =>
  JSON.stringify(message).slice(1) as EncodedMessage;

export const encodeEvent = (event: EventBody): EncodedEvent => JSON.stringify(event).slice(1) as EncodedEvent;

export type DownstreamWriter = {
  /** `readFor`: the targets who get a read receipt, which says that the sender has read up to the message. */
  message(
    route: Route,
    conversationId: string,
    targets: Targets,
    message: EncodedMessage,
    readFor?: readonly string[],
  ): void;
  ack(route: Route, ack: DownstreamAck): void;
  /** `conversationId`: the conversation with whose messages the event keeps its order. */
  event(route: Route, conversationId: string, targets: Targets, event: EncodedEvent): void;
  /** The records written, in the order in which they must be produced. */
  records(): BuiltRecord[];
};

type Open = Route & {
  bytes: number;
  messages: string[];
  acks: string[];
  events: string[];
  eventOf: Set<string>;
};

/** An upper bound of the size of a record without messages, acks and events. */
const envelopeBytes = 200;

/** Writes downstream records: one per receiver, or more if one grows too large or if the order requires it. */
export function createDownstreamWriter(): DownstreamWriter {
  const open = new Map<string, Open>();
  const built: BuiltRecord[] = [];

  /** The receiver's open record; a new one if that record has no room for `json`, or if `mustClose` is true for it. */
  function recordFor(
    { receiverId, bootId }: Route,
    json: string,
    mustClose?: (record: Open) => boolean,
  ): Open {
    const key = `${bootId}/${receiverId}`;
    const bytes = Buffer.byteLength(json) + 1;
    let record = open.get(key);
    if (record && (record.bytes + bytes > maxRecordBytes || mustClose?.(record))) {
      built.push(close(record));
      record = undefined;
    }
    if (!record) {
      record = {
        receiverId,
        bootId,
        bytes: envelopeBytes,
        messages: [],
        acks: [],
        events: [],
        eventOf: new Set(),
      };
      open.set(key, record);
    }
    record.bytes += bytes;
    return record;
  }

  return {
    message(route, conversationId, targets, message, readFor) {
      const read = readFor?.length ? `"read_for":${JSON.stringify(readFor)},` : '';
      const json = `{${targets}${read}${message}`;
      // Receivers handle a record's messages before its events, so a message that follows an event needs a new record.
      recordFor(route, json, ({ eventOf }) => eventOf.has(conversationId)).messages.push(json);
    },
    ack(route, ack) {
      const json = JSON.stringify(ack);
      recordFor(route, json).acks.push(json);
    },
    event(route, conversationId, targets, event) {
      const json = `{${targets}${event}`;
      const record = recordFor(route, json);
      record.events.push(json);
      record.eventOf.add(conversationId);
    },
    records() {
      for (const record of open.values()) built.push(close(record));
      open.clear();
      return built;
    },
  };
}

const close = ({ receiverId, bootId, bytes, messages, acks, events }: Open): BuiltRecord => ({
  receiverId,
  bootId,
  bytes,
  value: `{"gateway_boot_id":${JSON.stringify(bootId)},"messages":[${messages.join(',')}],"acks":[${acks.join(',')}],"events":[${events.join(',')}]}`,
});
