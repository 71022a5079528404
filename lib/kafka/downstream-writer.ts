import type { DownstreamAck, DownstreamEvent, DownstreamMessage } from './records.ts';

/** Below the broker's limit of a mebibyte, with room for the batch's own framing. */
export const maxRecordBytes = 900_000;

/** A downstream record's way: one start of one receiver. */
export type Route = { receiverId: string; bootId: string };

export type BuiltRecord = Route & { value: string; bytes: number };

/** Who something is for. */
type TargetFields = 'target_user_id' | 'target_user_ids' | 'broadcast' | 'newcomer_ids';
/** What a message says, whoever it is for. */
export type MessageBody = Omit<DownstreamMessage, TargetFields | 'read_for'>;
/** What an event says, whoever it is for. */
export type EventBody = DownstreamEvent extends infer E
  ? E extends unknown
    ? Omit<E, TargetFields>
    : never
  : never;

/**
 * Pieces of a record's JSON: fields without the braces around them. What goes to several gateways, and whom several
 * messages go to, is encoded once. Only the functions below make such pieces, so that they always fit together.
 */
declare const piece: unique symbol;
type Piece<Name> = string & { readonly [piece]: Name };
export type Targets = Piece<'targets'>;
export type EncodedMessage = Piece<'message'>;
export type EncodedEvent = Piece<'event'>;

/** Everyone on the gateway. */
export const everyone = '"broadcast":true,' as Targets;

/** Whom a message is for. Some of them may be members since a moment only; `newcomerIds` may name others too. */
export const messageTargets = (userIds: readonly string[], newcomerIds: readonly string[]): Targets =>
  userIds.length === 1
    ? (`"target_user_id":${JSON.stringify(userIds[0])},${newcomers(newcomerIds)}` as Targets)
    : eventTargets(userIds, newcomerIds);

/** Whom an event is for; the same but for a single user. */
export const eventTargets = (userIds: readonly string[], newcomerIds: readonly string[]): Targets =>
  `"target_user_ids":${JSON.stringify(userIds)},${newcomers(newcomerIds)}` as Targets;

const newcomers = (userIds: readonly string[]): string =>
  userIds.length === 0 ? '' : `"newcomer_ids":${JSON.stringify(userIds)},`;

export const encodeMessage = (message: MessageBody): EncodedMessage =>
  JSON.stringify(message).slice(1) as EncodedMessage;

export const encodeEvent = (event: EventBody): EncodedEvent => JSON.stringify(event).slice(1) as EncodedEvent;

export type DownstreamWriter = {
  /** `readFor`: those of the targets who are told that the sender has read up to the message. */
  message(
    route: Route,
    conversationId: string,
    targets: Targets,
    message: EncodedMessage,
    readFor?: readonly string[],
  ): void;
  ack(route: Route, ack: DownstreamAck): void;
  /** `conversationId`: the conversation whose messages it must neither overtake nor fall behind. */
  event(route: Route, conversationId: string, targets: Targets, event: EncodedEvent): void;
  /** What was written, in the order in which it has to be produced. */
  records(): BuiltRecord[];
};

type Open = Route & {
  bytes: number;
  messages: string[];
  acks: string[];
  events: string[];
  eventOf: Set<string>;
};

/** An empty record with the ids in it takes less. */
const envelopeBytes = 200;

/** Writes downstream records: one per receiver, unless it grows too large or order demands another. */
export function createDownstreamWriter(): DownstreamWriter {
  const open = new Map<string, Open>();
  const built: BuiltRecord[] = [];

  /** The receiver's record that has room; another one if the present one is full or `isOver`. */
  function recordFor({ receiverId, bootId }: Route, json: string, isOver?: (record: Open) => boolean): Open {
    const key = `${bootId}/${receiverId}`;
    const bytes = Buffer.byteLength(json) + 1;
    let record = open.get(key);
    if (record && (record.bytes + bytes > maxRecordBytes || isOver?.(record))) {
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
      // A record's messages are taken before its events, so what comes after an event needs the next record.
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
