import type { LimitFunction } from 'p-limit';
import type { Message } from '../../lib/gen/im_repo/v1/message.ts';
import type { RepoClient } from '../../lib/grpc/clients.ts';
import type { GroupCommit } from '../../lib/kafka/group-commit.ts';
import type { DownstreamMessage } from '../../lib/kafka/records.ts';
import { topics } from '../../lib/kafka/topics.ts';

/** Members resolved in one call, and named in one record. */
const pageSize = 500;
/** A record stays below the broker's 1 MB. */
const maxRecordBytes = 850_000;

export type Delivery = ReturnType<typeof createDelivery>;

/** Brings messages of one conversation, in the order of their seqs, to everyone who is online. */
export function createDelivery(deps: {
  repo: RepoClient;
  produce: GroupCommit['send'];
  limit: LimitFunction;
}) {
  const { repo, produce, limit } = deps;

  async function toEveryone(messages: Message[]): Promise<void> {
    const runs = encodeRuns(messages, '"broadcast":true');
    const gateways = await everyGateway(messages[0]?.conversationId ?? '');
    await Promise.all(
      gateways.flatMap(({ gatewayId, bootId }) => runs.map((run) => send(produce, gatewayId, bootId, run))),
    );
  }

  /**
   * Every gateway that may have sockets, also one that cannot renew its lease just now. Asked for once the messages are
   * stored: a list from before would lack the gateway that somebody came to meanwhile.
   */
  async function everyGateway(conversationId: string) {
    const queries = [{ conversationId, extraUserIds: [] }];
    const { recipients } = await repo.messages.resolveRecipients({ queries });
    return recipients[0]?.gateways ?? [];
  }

  async function toMembers(conversationId: string, messages: Message[]): Promise<void> {
    const produced: Promise<void>[] = [];
    let afterUserId = '';
    do {
      const page = await limit(() =>
        repo.conversations.resolveMemberPage({ conversationId, afterUserId, limit: pageSize }),
      );
      for (const { gatewayId, bootId, userIds } of page.gateways) {
        if (userIds.length === 0) continue;
        const targets = `"target_user_ids":${JSON.stringify(userIds)}${newcomersJson(page.newcomerIds)}`;
        for (const run of encodeRuns(messages, targets)) {
          const sent = send(produce, gatewayId, bootId, run);
          sent.catch(() => undefined);
          produced.push(sent);
        }
      }
      afterUserId = page.nextAfterUserId;
    } while (afterUserId !== '');
    await Promise.all(produced);
  }

  return { toEveryone, toMembers };
}

const send = (produce: GroupCommit['send'], gatewayId: string, bootId: string, messages: string) =>
  produce(
    topics.downstream(gatewayId),
    null,
    `{"gateway_boot_id":${JSON.stringify(bootId)},"messages":[${messages}],"acks":[],"events":[]}`,
  );

/** Mostly nobody. The gateways pass over those that they do not hold. */
const newcomersJson = (newcomerIds: readonly string[]): string =>
  newcomerIds.length === 0 ? '' : `,"newcomer_ids":${JSON.stringify(newcomerIds)}`;

/** The messages as JSON, each with its targets, in as few runs as records of the allowed size need. */
function encodeRuns(messages: Message[], targets: string): string[] {
  const runs: string[][] = [];
  let bytes = maxRecordBytes;
  for (const message of messages) {
    const encoded = `{${targets},${JSON.stringify(toDownstream(message)).slice(1)}`;
    const size = Buffer.byteLength(encoded) + 1;
    if (bytes + size > maxRecordBytes) {
      runs.push([]);
      bytes = 0;
    }
    runs.at(-1)?.push(encoded);
    bytes += size;
  }
  return runs.map((run) => run.join(','));
}

function toDownstream(message: Message): DownstreamMessage {
  const { sender } = message;
  return {
    message_id: message.id,
    conversation_id: message.conversationId,
    sender_info: {
      id: sender?.id ?? '',
      username: sender?.username ?? '',
      display_name: sender?.displayName ?? '',
      avatar_url: sender?.avatarUrl ?? '',
    },
    message_type: message.messageType,
    content: message.content,
    seq_id: message.seqId,
    client_msg_id: message.clientMsgId,
    created_at: message.createdAt,
    ...(message.replyToSeqId === undefined ? {} : { reply_to_seq_id: message.replyToSeqId }),
    ...(message.mentions.length === 0 ? {} : { mentions: message.mentions }),
    ...(message.deleted ? { deleted: true } : {}),
  };
}
