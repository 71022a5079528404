import { messageType } from '../../../lib/domain/enumerations.ts';
import {
  type GetMessagesRequest,
  GetMessagesResponse,
  type NewMessage,
} from '../../../lib/gen/im_repo/v1/message.ts';
import { memberKeys } from '../../../services/repo/conversation-changes/member-rows.ts';
import { pairOfKey } from '../../../services/repo/friends/friendship-pair.ts';
import { createMessageChange } from '../../../services/repo/message-changes/message-change.ts';
import { startReactionTelling } from '../../../services/repo/message-changes/reaction-telling.ts';
import { createMessageHandlers } from '../../../services/repo/messages/messages.ts';
import { createPresenceHandlers } from '../../../services/repo/presence/presence.ts';
import { createGateways } from '../../../services/repo/presence/presence-gateways.ts';
import { createReceiptAudience } from '../../../services/repo/receipts/receipt-audience.ts';
import { createRecentSenders } from '../../../services/repo/receipts/recent-senders.ts';
import { createFanoutProgress } from '../../../services/repo/recipients/fanout-progress.ts';
import { createMemberLists } from '../../../services/repo/recipients/member-lists.ts';
import { createRecipients } from '../../../services/repo/recipients/recipients.ts';
import { createSearchHandlers, createSqlEngine } from '../../../services/repo/search/search.ts';
import type { Sql } from '../../../services/repo/storage/database.ts';
import { atEnd } from '../at-end.ts';
import type { RepoParts } from './repo-parts.ts';

export type MessageParts = ReturnType<typeof createMessageParts>;

/** Repo's message and presence handlers, and functions that create rows for them. */
export function createMessageParts(parts: RepoParts) {
  const { databases, redis, cache, cold, userCards, userSettings, ids, metrics, outbox, log } = parts;
  const { links, access, releaseFile } = parts;
  // startMs 0: like a process that has run for a while, since tests stop Redis in its first second.
  const gateways = createGateways({ redis, startMs: 0 });
  const recipients = createRecipients({ databases, memberLists: createMemberLists(databases), gateways });
  const receipts = createReceiptAudience({ databases, userSettings });
  const recentSenders = createRecentSenders();
  const engine = createSqlEngine({ databases, cold });
  const changeMessage = createMessageChange({
    databases,
    cache,
    cold,
    outbox,
    userCards,
    searchIndex: engine,
    links,
    releaseFile,
  });
  const telling = startReactionTelling({ databases, changeMessage, log });
  atEnd(telling.stop);
  const handlers = createMessageHandlers({
    changeMessage,
    searchIndex: engine,
    telling,
    databases,
    ids,
    cache,
    cold,
    userCards,
    recipients,
    receipts,
    recentSenders,
    metrics,
    log,
    outbox,
    links,
    access,
    releaseFile,
  });
  const page = async (request: GetMessagesRequest) =>
    GetMessagesResponse.decode((await handlers.getMessages(request)).encoded);
  const messages = { ...handlers, getMessages: page, getConversationMessages: page };
  const presence = createPresenceHandlers({ redis, gateways, databases, offlineConfirmMs: 0, healMs: 0 });
  const sql = databases.users;
  let sources = 0;

  return {
    ...parts,
    changeMessage,
    messages,
    search: createSearchHandlers({ databases, cache, cold, userCards, engine, links, metrics }),
    presence,
    gateways,
    recipients,
    receipts,
    fanout: createFanoutProgress({ databases, recipients }),

    async newUsers(count: number): Promise<string[]> {
      const users = Array.from({ length: count }, () => ids.nextId());
      await sql.execute(
        'INSERT INTO users (id, username, display_name, avatar_url, is_guest, created_at, updated_at) VALUES ?',
        [users.map((id) => [id, `u${id}`, `User ${id}`, '', false, 1, 1])],
      );
      return users.map(String);
    },

    /** Creates a conversation of type 2 (or 1 with `single`); its first member is the owner. */
    async newConversation(userIds: readonly string[], single = false): Promise<string> {
      const id = ids.nextId();
      const key = single ? userIds.toSorted((a, b) => Number(a) - Number(b)).join(':') : null;
      await sql.execute(
        `INSERT INTO conversations (id, type, status, name, avatar_url, description, announcement, owner_id,
           member_count, invite_by, mute_all, max_members, single_key, created_at, updated_at) VALUES (?)`,
        [
          [
            id,
            single ? 1 : 2,
            1,
            '',
            '',
            '',
            '',
            single ? 0 : Number(userIds[0]),
            userIds.length,
            'admins',
            false,
            2000,
            key,
            1,
            1,
          ],
        ],
      );
      await sql.execute('INSERT INTO conversation_heads (conversation_id) VALUES (?)', [id]);
      if (key !== null) await tellPair(sql, key, id);
      await cache.change(async (touch) => {
        await touch(memberKeys(userIds.map(Number)));
        await sql.execute(
          'INSERT INTO conversation_members (user_id, conversation_id, role, joined_at) VALUES ?',
          [userIds.map((userId, index) => [Number(userId), id, single || index > 0 ? 1 : 3, 1])],
        );
      });
      return String(id);
    },

    /** Creates users and their conversation. */
    async newConversationOf(size: number): Promise<{ users: [string, string, ...string[]]; id: string }> {
      const users = await this.newUsers(size);
      return { users: users as [string, string, ...string[]], id: await this.newConversation(users) };
    },

    /** Opens a session of the user at `gateway-{name}`, which has sent all its sessions. */
    async goOnline(userId: string, name: string): Promise<void> {
      const gateway = { gatewayId: `gateway-${name}`, bootId: `boot-${name}`, pushAddress: 'nowhere:1' };
      await presence.renewGateway({ gateway, synced: true });
      const now = Date.now();
      const session = { sessionId: `session-${userId}`, userId, connectedAt: now, lastActiveAt: now };
      await presence.setUserOnline({ session, gatewayId: gateway.gatewayId, bootId: gateway.bootId });
      await presence.renewGateway({ gateway, synced: true });
    },

    /** Removes a member as the membership code does: under the head's lock, with a new member_version. */
    async removeMember(conversationId: string, userId: string): Promise<void> {
      await cache.change(async (touch) => {
        await touch(memberKeys([Number(userId)]));
        await sql.transaction(async (tx) => {
          await tx.query('SELECT 1 FROM conversation_heads WHERE conversation_id = ? FOR UPDATE', [
            Number(conversationId),
          ]);
          await tx.execute('DELETE FROM conversation_members WHERE user_id = ? AND conversation_id = ?', [
            Number(userId),
            Number(conversationId),
          ]);
          await tx.execute(
            'UPDATE conversation_heads SET member_version = member_version + 1 WHERE conversation_id = ?',
            [Number(conversationId)],
          );
        });
      });
    },

    /** A new message; by default each has a separate upstream record. */
    newMessage(conversationId: string, senderId: string, fields: Partial<NewMessage> = {}): NewMessage {
      sources += 1;
      return {
        conversationId,
        senderId,
        messageType: messageType.text,
        content: `message ${sources}`,
        clientMsgId: `id-${sources}`,
        mentions: [],
        sourcePartition: 0,
        sourceOffset: sources,
        ...fields,
      };
    },

    save: async (...batch: NewMessage[]) =>
      (await messages.saveMessages({ messages: batch, recipientsOf: [] })).results,
  };
}

/** Tells the pair with this key ("low:high") that a conversation is its own. */
export async function tellPair(sql: Sql, key: string, conversationId: number): Promise<void> {
  const { low, high } = pairOfKey(key);
  await sql.execute(
    `INSERT INTO pairs (low_id, high_id, conversation_id) VALUES (?)
     ON DUPLICATE KEY UPDATE conversation_id = VALUES(conversation_id)`,
    [[low, high, conversationId]],
  );
}
