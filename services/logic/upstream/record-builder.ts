/** Below the broker's limit of a mebibyte, with room for the batch's own framing. */
export const maxRecordBytes = 900_000;

/** A downstream record's way: one start of one receiver. */
export type Route = { receiverId: string; bootId: string };

export type BuiltRecord = Route & { value: string; bytes: number };

export type RecordBuilder = {
  message(route: Route, conversationId: string, json: string): void;
  ack(route: Route, json: string): void;
  event(route: Route, conversationId: string, json: string): void;
  /** What was built, in the order in which it has to be produced. */
  records(): BuiltRecord[];
};

type Open = Route & {
  bytes: number;
  messages: string[];
  acks: string[];
  events: string[];
  eventOf: Set<string>;
};

/**
 * Collects a batch's downstream records: one a receiver, unless it grows too large or order demands another. Items
 * come as finished JSON, so that what goes to several gateways is stringified once.
 */
export function createRecordBuilder(): RecordBuilder {
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
      record = { receiverId, bootId, bytes: 200, messages: [], acks: [], events: [], eventOf: new Set() };
      open.set(key, record);
    }
    record.bytes += bytes;
    return record;
  }

  return {
    message(route, conversationId, json) {
      // A record's messages are taken before its events, so what comes after an event needs the next record.
      recordFor(route, json, ({ eventOf }) => eventOf.has(conversationId)).messages.push(json);
    },
    ack(route, json) {
      recordFor(route, json).acks.push(json);
    },
    event(route, conversationId, json) {
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
