import type { LimitFunction } from 'p-limit';
import type { Message } from '../../lib/gen/im_repo/v1/message.ts';
import type { RepoClient } from '../../lib/grpc/clients.ts';
import type { GroupCommit } from '../../lib/kafka/group-commit.ts';
import { topics } from '../../lib/kafka/topics.ts';
import {
  createDownstreamWriter,
  type DownstreamWriter,
  encodeMessage,
  everyone,
  messageTargets,
} from '../../lib/records/downstream-writer.ts';
import { toMessageFacts } from '../../lib/records/message-facts.ts';

/** Members per call of resolveMemberPage, and per downstream record. */
const pageSize = 500;

export type Delivery = ReturnType<typeof createDelivery>;

/** Writes the messages of one conversation, in seq order, to the downstream topics of all online members. */
export function createDelivery(deps: {
  repo: RepoClient;
  produce: GroupCommit['send'];
  limit: LimitFunction;
}) {
  const { repo, produce, limit } = deps;

  async function toEveryone(messages: Message[]): Promise<void> {
    const conversationId = messages[0]?.conversationId ?? '';
    const encoded = messages.map((message) => encodeMessage(toMessageFacts(message)));
    const writer = createDownstreamWriter();
    for (const { gatewayId, bootId } of await everyGateway(conversationId)) {
      const route = { receiverId: gatewayId, bootId };
      for (const message of encoded) writer.message(route, conversationId, everyone, message);
    }
    await Promise.all(send(writer));
  }

  /**
   * All gateways that may have sockets, including a gateway that cannot renew its lease at the moment. Call this
   * after the messages are stored: an older list would lack a gateway to which a user has connected since.
   */
  async function everyGateway(conversationId: string) {
    const queries = [{ conversationId, extraUserIds: [] }];
    const { recipients } = await repo.messages.resolveRecipients({ queries, stored: [] });
    return recipients[0]?.gateways ?? [];
  }

  async function toMembers(conversationId: string, messages: Message[]): Promise<void> {
    const encoded = messages.map((message) => encodeMessage(toMessageFacts(message)));
    const produced: Promise<void>[] = [];
    let afterUserId = '';
    do {
      const page = await limit(() =>
        repo.conversations.resolveMemberPage({ conversationId, afterUserId, limit: pageSize }),
      );
      const writer = createDownstreamWriter();
      for (const { gatewayId, bootId, userIds } of page.gateways) {
        if (userIds.length === 0) continue;
        const route = { receiverId: gatewayId, bootId };
        const targets = messageTargets(userIds, page.newcomerIds);
        for (const message of encoded) writer.message(route, conversationId, targets, message);
      }
      for (const sent of send(writer)) {
        sent.catch(() => undefined);
        produced.push(sent);
      }
      afterUserId = page.nextAfterUserId;
    } while (afterUserId !== '');
    await Promise.all(produced);
  }

  const send = (writer: DownstreamWriter): Promise<void>[] =>
    writer.records().map(({ receiverId, value }) => produce(topics.downstream(receiverId), null, value));

  return { toEveryone, toMembers };
}
