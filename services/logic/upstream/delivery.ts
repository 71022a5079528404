import { type Code, messageOf } from '../../../lib/errors.ts';
import type { GatewayRecipients, Recipients } from '../../../lib/gen/im_repo/v1/message.ts';
import { buryRecord } from '../../../lib/kafka/dead-records.ts';
import type {
  DownstreamAck,
  DownstreamEvent,
  DownstreamMessage,
  FanoutTask,
  OrderedEvent,
  UpstreamMessage,
} from '../../../lib/kafka/records.ts';
import { deletedUser } from '../../../lib/wire/user.ts';
import { type FanoutMessage, fanoutTasks, goesDirect } from './fanout-policy.ts';
import type { Item } from './item.ts';
import { type BuiltRecord, createRecordBuilder, type RecordBuilder } from './record-builder.ts';
import type { Outcome } from './save.ts';

/** What a batch's outcomes have to become before their offsets may be committed. */
export type Delivery = {
  records: BuiltRecord[];
  tasks: FanoutTask[];
  /** Keys and values for gochat.messages.dead. */
  dead: { key: Buffer | null; value: string }[];
  /** When the messages delivered here were received, Unix milliseconds. */
  receivedAt: number[];
  /** Receivers that hold members: alive, so their topic has to be there. The others only wait for acks. */
  live: Set<string>;
};

export const emptyDelivery = (): Delivery => ({
  records: [],
  tasks: [],
  dead: [],
  receivedAt: [],
  live: new Set(),
});

/** Turns outcomes, in order, into what is produced for them. `topic` is where they came from. */
export function buildDelivery(outcomes: readonly Outcome[], topic: string): Delivery {
  const builder = createRecordBuilder();
  const delivery = emptyDelivery();
  const toFanOut: FanoutMessage[] = [];
  const targets = createTargets(delivery.live);

  for (const outcome of outcomes) {
    switch (outcome.kind) {
      case 'saved':
        addSaved(outcome, builder, targets, toFanOut, delivery);
        break;
      case 'refused':
        addRefusal(builder, outcome.message, outcome.code, outcome.text);
        break;
      case 'event':
        if (outcome.recipients) addEvent(builder, targets, outcome.event, outcome.recipients);
        break;
      case 'dead':
        delivery.dead.push(deadRecord(topic, outcome.item, outcome.reason));
        if (outcome.message) addRefusal(builder, outcome.message, 'INTERNAL_ERROR', messageOf(undefined));
        break;
    }
  }
  delivery.tasks = fanoutTasks(toFanOut);
  delivery.records = builder.records();
  return delivery;
}

/** Tells senders that their messages take too long. The messages stay where they are. */
export function buildFailures(messages: readonly UpstreamMessage[]): Delivery {
  const builder = createRecordBuilder();
  for (const message of messages) addRefusal(builder, message, 'INTERNAL_ERROR', messageOf(undefined));
  return { ...emptyDelivery(), records: builder.records() };
}

function addSaved(
  { message, saved, sender, recipients }: Outcome & { kind: 'saved' },
  builder: RecordBuilder,
  targets: Targets,
  toFanOut: FanoutMessage[],
  delivery: Delivery,
): void {
  addAck(builder, message, {
    session_id: message.session_id,
    conversation_id: message.conversation_id,
    client_msg_id: message.client_msg_id,
    message_id: saved.messageId,
    seq_id: saved.seqId,
    created_at: saved.createdAt,
    duplicate: saved.duplicate,
  });
  if (saved.duplicate || !recipients) return;

  if (!saved.direct && !goesDirect(recipients)) {
    toFanOut.push({
      conversationId: message.conversation_id,
      seqId: saved.seqId,
      receivedAt: message.timestamp,
    });
    return;
  }
  const { id, username, displayName, avatarUrl } = sender ?? deletedUser(message.user_id);
  const downstream: DownstreamMessage = {
    message_id: saved.messageId,
    conversation_id: message.conversation_id,
    sender_info: { id, username, display_name: displayName, avatar_url: avatarUrl },
    message_type: message.message_type,
    content: message.content,
    seq_id: saved.seqId,
    client_msg_id: message.client_msg_id,
    created_at: saved.createdAt,
    ...(message.reply_to_seq_id === undefined ? {} : { reply_to_seq_id: message.reply_to_seq_id }),
    ...(message.mentions === undefined ? {} : { mentions: message.mentions }),
  };
  const rest = JSON.stringify(downstream).slice(1);
  const newcomers = newcomersJson(recipients);
  for (const { route, json, userIds } of targets.of(recipients)) {
    const readFor = saved.readFor.filter((userId) => userIds.has(userId));
    const read = readFor.length === 0 ? '' : `"read_for":${JSON.stringify(readFor)},`;
    builder.message(route, message.conversation_id, `{${json},${newcomers}${read}${rest}`);
  }
  delivery.receivedAt.push(message.timestamp);
}

function addRefusal(builder: RecordBuilder, message: UpstreamMessage, code: Code, text: string): void {
  addAck(builder, message, {
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

function addAck(builder: RecordBuilder, message: UpstreamMessage, ack: DownstreamAck): void {
  if (message.gateway_id === '') return;
  builder.ack({ receiverId: message.gateway_id, bootId: message.gateway_boot_id }, JSON.stringify(ack));
}

function addEvent(
  builder: RecordBuilder,
  targets: Targets,
  event: OrderedEvent,
  recipients: Recipients,
): void {
  const { event_id, frame, data, last_seq_id } = event;
  const { conversation_id } = event;
  const downstream: DownstreamEvent = { event_id, frame, data, last_seq_id, conversation_id };
  const rest = JSON.stringify(downstream).slice(1);
  for (const { route, lists } of targets.inParts(recipients)) {
    for (const json of lists) {
      builder.event(route, conversation_id, `{${json},${newcomersJson(recipients)}${rest}`);
    }
  }
}

type Target = { route: { receiverId: string; bootId: string }; json: string; userIds: ReadonlySet<string> };
type Targets = ReturnType<typeof createTargets>;

/** Ids in one event or message: a list of a large group would not fit into one record. */
const idsAtOnce = 20_000;

/** Who is meant at each gateway, as a piece of JSON that is made once for all messages of a conversation. */
function createTargets(live: Set<string>) {
  const made = new Map<Recipients, Target[]>();

  const routes = (recipients: Recipients) => {
    const reached = recipients.gateways.filter(({ userIds }) => recipients.broadcast || userIds.length > 0);
    for (const { gatewayId } of reached) live.add(gatewayId);
    return reached;
  };
  const routeOf = (gateway: GatewayRecipients) => ({
    receiverId: gateway.gatewayId,
    bootId: gateway.bootId,
  });

  return {
    of(recipients: Recipients): Target[] {
      let targets = made.get(recipients);
      if (!targets) {
        targets = routes(recipients).flatMap((gateway) =>
          (recipients.broadcast ? [[]] : partsOf(gateway.userIds)).map((ids) => ({
            route: routeOf(gateway),
            json: recipients.broadcast ? '"broadcast":true' : targetJson(ids),
            userIds: new Set(ids),
          })),
        );
        made.set(recipients, targets);
      }
      return targets;
    },
    inParts: (recipients: Recipients) =>
      routes(recipients).map((gateway) => ({
        route: routeOf(gateway),
        lists: recipients.broadcast
          ? ['"broadcast":true']
          : partsOf(gateway.userIds).map((ids) => `"target_user_ids":${JSON.stringify(ids)}`),
      })),
  };
}

/** Mostly nobody. They are not shared out among the gateways: each passes over those that it does not hold. */
const newcomersJson = ({ newcomerIds }: Recipients): string =>
  newcomerIds.length === 0 ? '' : `"newcomer_ids":${JSON.stringify(newcomerIds)},`;

const targetJson = (userIds: readonly string[]): string =>
  userIds.length === 1
    ? `"target_user_id":${JSON.stringify(userIds[0])}`
    : `"target_user_ids":${JSON.stringify(userIds)}`;

function partsOf(ids: readonly string[]): (readonly string[])[] {
  if (ids.length <= idsAtOnce) return [ids];
  const parts: string[][] = [];
  for (let from = 0; from < ids.length; from += idsAtOnce) parts.push(ids.slice(from, from + idsAtOnce));
  return parts;
}

const deadRecord = (topic: string, { partition, offset, key, value }: Item, reason: string) =>
  buryRecord({ topic, partition, offset: String(offset), key, value }, reason);
