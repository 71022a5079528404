import { chunks } from '../../../lib/chunks.ts';
import { deletedUser } from '../../../lib/domain/deleted-user.ts';
import { recordBodyOf } from '../../../lib/domain/message-body.ts';
import { type Code, messageOf } from '../../../lib/errors.ts';
import type { Recipients, SavedMessage } from '../../../lib/gen/im_repo/v1/message.ts';
import { buildDeadRecord } from '../../../lib/kafka/dead-records.ts';
import {
  type BuiltRecord,
  createDownstreamWriter,
  type DownstreamWriter,
  encodeEvent,
  encodeMessage,
  eventTargets,
  everyone,
  messageTargets,
  type Route,
  type Targets,
} from '../../../lib/records/downstream-writer.ts';
import { toSenderInfo } from '../../../lib/records/message-facts.ts';
import { type StoredRecord, storedRecord } from '../../../lib/records/messages-stored.ts';
import type {
  DownstreamAck,
  FanoutTask,
  OrderedFrame,
  UpstreamMessage,
} from '../../../lib/records/records.ts';
import { mustBeDelivered } from '../../../lib/records/saved-message.ts';
import { type FanoutMessage, fanoutTasks, goesDirect } from './fanout-policy.ts';
import type { Item } from './item.ts';
import type { Done } from './save.ts';

/** All that must be produced for a batch before its offsets may be committed. */
export type Delivery = {
  records: BuiltRecord[];
  tasks: FanoutTask[];
  /** For gochat.messages.stored; undefined if nothing was stored. */
  stored?: StoredRecord | undefined;
  /** Keys and values for gochat.messages.dead. */
  dead: { key: Buffer | null; value: string }[];
  /** When gateways received the messages that are delivered directly, Unix milliseconds. */
  receivedAt: number[];
  /** Receivers with sessions of members. They are alive, so their topics must exist. Other receivers get only acks. */
  live: Set<string>;
};

export const emptyDelivery = (): Delivery => ({
  records: [],
  tasks: [],
  dead: [],
  receivedAt: [],
  live: new Set(),
});

/** Builds the delivery of a batch's outcomes, in their order. `topic` is the topic that the items came from. */
export function buildDelivery(outcomes: readonly Done[], topic: string): Delivery {
  const writer = createDownstreamWriter();
  const delivery = emptyDelivery();
  const toFanOut: FanoutMessage[] = [];
  const targets = createTargets(delivery.live);

  for (const outcome of outcomes) {
    switch (outcome.kind) {
      case 'saved':
        addSaved(outcome, writer, targets, toFanOut, delivery);
        break;
      case 'refused':
        addRefusal(writer, outcome.message, outcome.code, outcome.text);
        break;
      case 'event':
        if (outcome.recipients) addEvent(writer, targets, outcome.event, outcome.recipients);
        break;
      case 'dead':
        delivery.dead.push(deadRecord(topic, outcome.item, outcome.reason));
        if (outcome.message) addRefusal(writer, outcome.message, 'INTERNAL_ERROR', messageOf(undefined));
        break;
    }
  }
  delivery.tasks = fanoutTasks(toFanOut);
  delivery.stored = storedRecord(storedMessages(outcomes));
  delivery.records = writer.records();
  return delivery;
}

/** The messages that this batch stored, and those whose earlier save may not have told or delivered them. */
function* storedMessages(outcomes: readonly Done[]): Generator<{ conversationId: string; seqId: number }> {
  for (const outcome of outcomes) {
    if (outcome.kind !== 'saved' || !mustBeDelivered(outcome.saved)) continue;
    yield { conversationId: outcome.message.conversation_id, seqId: outcome.saved.seqId };
  }
}

/** Builds errors for senders whose messages take too long. The messages stay queued and may still be stored. */
export function buildFailures(messages: readonly UpstreamMessage[]): Delivery {
  const writer = createDownstreamWriter();
  for (const message of messages) addRefusal(writer, message, 'INTERNAL_ERROR', messageOf(undefined));
  return { ...emptyDelivery(), records: writer.records() };
}

function addSaved(
  { message, saved, sender, recipients }: Done & { kind: 'saved' },
  writer: DownstreamWriter,
  targets: TargetsByRecipients,
  toFanOut: FanoutMessage[],
  delivery: Delivery,
): void {
  addAck(writer, message, ackOf(message, saved));
  if (!mustBeDelivered(saved) || !recipients) return;

  if (!saved.direct && !goesDirect(recipients)) {
    toFanOut.push({
      conversationId: message.conversation_id,
      seqId: saved.seqId,
      receivedAt: message.timestamp,
    });
    return;
  }
  const encoded = encodeMessage({
    message_id: saved.messageId,
    conversation_id: message.conversation_id,
    sender_info: toSenderInfo(sender ?? deletedUser(message.user_id)),
    ...recordBodyOf(message),
    ...(saved.content === undefined ? {} : { content: saved.content }),
    seq_id: saved.seqId,
    created_at: saved.createdAt,
  });
  for (const { route, encoded: to, userIds } of targets.of(recipients)) {
    const readFor = saved.readFor.filter((userId) => userIds.has(userId));
    writer.message(route, message.conversation_id, to, encoded, readFor);
  }
  delivery.receivedAt.push(message.timestamp);
}

/** The acknowledgement of a stored message. */
export const ackOf = (message: UpstreamMessage, saved: SavedMessage): DownstreamAck => ({
  session_id: message.session_id,
  conversation_id: message.conversation_id,
  client_msg_id: message.client_msg_id,
  message_id: saved.messageId,
  seq_id: saved.seqId,
  created_at: saved.createdAt,
  duplicate: saved.duplicate,
});

function addRefusal(writer: DownstreamWriter, message: UpstreamMessage, code: Code, text: string): void {
  addAck(writer, message, {
    session_id: message.session_id,
    conversation_id: message.conversation_id,
    client_msg_id: message.client_msg_id,
    message_id: 0,
    seq_id: 0,
    created_at: 0,
    duplicate: false,
    error: { code, message: text },
  });
}

function addAck(writer: DownstreamWriter, message: UpstreamMessage, ack: DownstreamAck): void {
  if (message.gateway_id === '') return;
  writer.ack({ receiverId: message.gateway_id, bootId: message.gateway_boot_id }, ack);
}

function addEvent(
  writer: DownstreamWriter,
  targets: TargetsByRecipients,
  event: OrderedFrame,
  recipients: Recipients,
): void {
  const { extra_user_ids: _, ...body } = event;
  const encoded = encodeEvent(body);
  for (const { route, encoded: to } of targets.forEvent(recipients)) {
    writer.event(route, event.conversation_id, to, encoded);
  }
}

/** Some of the recipients at one gateway. */
type Target = { route: Route; encoded: Targets };
type MessageTarget = Target & { userIds: ReadonlySet<string> };

type TargetsByRecipients = {
  of(recipients: Recipients): MessageTarget[];
  forEvent(recipients: Recipients): Target[];
};

/** The recipients at each gateway, encoded once for all messages of a conversation in a batch. */
function createTargets(live: Set<string>): TargetsByRecipients {
  const encodedTargets = new Map<Recipients, MessageTarget[]>();

  /** Calls `take` for each part of each gateway's recipients that fits into one item. */
  function forEachList(
    { broadcast, gateways, newcomerIds }: Recipients,
    encode: (userIds: readonly string[], newcomerIds: readonly string[]) => Targets,
    take: (route: Route, encoded: Targets, userIds: readonly string[]) => void,
  ): void {
    for (const { gatewayId, bootId, userIds } of gateways) {
      if (!broadcast && userIds.length === 0) continue;
      live.add(gatewayId);
      const route = { receiverId: gatewayId, bootId };
      if (broadcast) {
        take(route, everyone, []);
        continue;
      }
      // Every gateway gets all newcomers, and ignores those without a session there.
      for (const ids of chunks(userIds, maxIdsPerItem)) take(route, encode(ids, newcomerIds), ids);
    }
  }

  return {
    of(recipients) {
      const known = encodedTargets.get(recipients);
      if (known) return known;
      const targets: MessageTarget[] = [];
      forEachList(recipients, messageTargets, (route, encoded, userIds) => {
        targets.push({ route, encoded, userIds: new Set(userIds) });
      });
      encodedTargets.set(recipients, targets);
      return targets;
    },
    forEvent(recipients) {
      const targets: Target[] = [];
      forEachList(recipients, eventTargets, (route, encoded) => void targets.push({ route, encoded }));
      return targets;
    },
  };
}

/** Maximum number of user ids per event or message: the list of a large group would not fit into one record. */
const maxIdsPerItem = 20_000;

const deadRecord = (topic: string, { partition, offset, key, value }: Item, reason: string) =>
  buildDeadRecord({ topic, partition, offset: String(offset), key, value }, reason);
