// Room: the recipients of messages and events, as gateways and users, and the progress of the fan-out in large groups.
// It reads memberships and presence and changes neither.

import { conversationType, fanoutMode } from '../../../lib/domain/enumerations.ts';
import { parseId } from '../../../lib/domain/ids.ts';
import type { RecipientQuery, Recipients, StoredBatch } from '../../../lib/gen/im_repo/v1/message.ts';
import type { Gateways, Located } from '../presence/presence-gateways.ts';
import type { Database } from '../storage/database.ts';
import { type Databases, fromShardsOf, type Lost, noteLost } from '../storage/databases.ts';
import { type MemberList, type MemberLists, newcomersOf } from './member-lists.ts';

/** What determines the recipients of a conversation. For stored messages it was read under the lock of the head. */
export type Audience = Pick<StoredBatch, 'conversationId' | 'memberVersion' | 'world' | 'fanout' | 'direct'>;

export type ResolveRecipients = {
  /** Resolves just stored messages: to the fan-out flow, or to the gateways that may have members' sessions. */
  ofMessages(audiences: readonly Audience[]): Promise<Recipients[]>;
  /** Resolves events: always to gateways, for any number of members. Returns one result per query, in order. */
  ofQueries(queries: readonly RecipientQuery[]): Promise<Recipients[]>;
  /**
   * Resolves the next members after `afterUserId`, in the order of their ids, to the gateways that may have sessions.
   */
  ofPage(page: {
    conversationId: string;
    afterUserId: number;
    limit: number;
  }): Promise<{ gateways: Recipients['gateways']; newcomerIds: string[]; nextAfterUserId: string }>;
};

/**
 * Resolves recipients with one Redis round trip per batch: it looks up once per gateway which of all the members have a
 * session there. Callers call it after the commit, so that every session that was registered before is found.
 */
export function createRecipients(deps: {
  databases: Databases;
  memberLists: MemberLists;
  gateways: Gateways;
}): ResolveRecipients {
  const { databases, memberLists, gateways } = deps;

  async function readAudiences(
    queries: readonly RecipientQuery[],
    lost?: Lost,
  ): Promise<Map<string, Audience>> {
    const ids = [...new Set(queries.map(({ conversationId }) => parseId(conversationId)))];
    type Row = { id: number; type: number; member_version: number; fanout_mode: number };
    const known = ids.filter((id) => id !== undefined);
    const read = (shard: Database, some: number[]) =>
      shard.query<Row>(
        `SELECT c.id, c.type, h.member_version, h.fanout_mode
         FROM conversations c JOIN conversation_heads h ON h.conversation_id = c.id
         WHERE c.id IN (?)`,
        [some],
      );
    const rows = await fromShardsOf(databases, known, read, lost);
    return new Map(
      rows.map((row) => [
        String(row.id),
        {
          conversationId: String(row.id),
          memberVersion: row.member_version,
          world: row.type === conversationType.world,
          fanout: row.fanout_mode === fanoutMode.on,
          direct: false,
        },
      ]),
    );
  }

  const listsOf = (audiences: Iterable<Audience>, lost?: Lost): Promise<Map<string, MemberList>> =>
    memberLists.of(
      new Map([...audiences].map((audience) => [audience.conversationId, audience.memberVersion])),
      lost,
    );

  /** True if the answer about the conversation is missing because its database did not answer. */
  const isLost = (lost: Lost | undefined, conversationId: string): boolean =>
    lost !== undefined && lost.size > 0 && lost.has(databases.messagesOf(conversationId));

  return {
    async ofMessages(audiences) {
      const direct = audiences.filter(({ fanout, world, direct: also }) => also || (!fanout && !world));
      const lost = noteLost(databases);
      const lists = await listsOf(direct, lost);
      const everyone = new Set<string>();
      for (const { userIds } of lists.values()) for (const id of userIds) everyone.add(id);
      const located = everyone.size === 0 ? [] : await gateways.locateTopics([...everyone]);
      return audiences.map(({ conversationId, memberVersion, world, fanout, direct: also }) => {
        const list = lists.get(conversationId);
        const unknown = !list && (also || !(fanout || world)) && isLost(lost, conversationId);
        return {
          conversationId,
          fanout: fanout || world,
          broadcast: world,
          gateways: list ? groupByGateway(located, list.userIds) : [],
          memberVersion: list?.version ?? memberVersion,
          newcomerIds: list ? newcomersOf(list) : [],
          ...(unknown ? { unavailable: true } : {}),
        };
      });
    },

    async ofQueries(queries) {
      const lost = noteLost(databases);
      const audiences = await readAudiences(queries, lost);
      const lists = await listsOf(
        [...audiences.values()].filter(({ world }) => !world),
        lost,
      );
      const everyone = new Set<string>();
      for (const { userIds } of lists.values()) for (const id of userIds) everyone.add(id);
      for (const { extraUserIds } of queries) for (const id of extraUserIds) everyone.add(id);
      const located = await gateways.locateTopics([...everyone]);
      return queries.map(({ conversationId, extraUserIds }) => {
        const audience = audiences.get(conversationId);
        const list = lists.get(conversationId);
        const wanted = new Set([...(list?.userIds ?? []), ...extraUserIds]);
        const unknown = !list && !audience?.world && isLost(lost, conversationId);
        return {
          conversationId,
          fanout: audience?.fanout ?? false,
          broadcast: audience?.world ?? false,
          gateways: audience?.world ? everywhere(located) : groupByGateway(located, [...wanted]),
          memberVersion: list?.version ?? audience?.memberVersion ?? 0,
          newcomerIds: list ? newcomersOf(list) : [],
          ...(unknown ? { unavailable: true } : {}),
        };
      });
    },

    async ofPage({ conversationId, afterUserId, limit }) {
      // The list comes from memory unless members changed, because a large group is resolved page by page, very often.
      const audiences = await readAudiences([{ conversationId, extraUserIds: [] }]);
      const list = (await listsOf(audiences.values())).get(conversationId);
      const userIds = list?.userIds ?? [];
      const from = firstAfter(userIds, afterUserId);
      const page = userIds.slice(from, from + limit);
      const more = from + limit < userIds.length;
      return {
        gateways: page.length === 0 ? [] : groupByGateway(await gateways.locateTopics(page), page),
        newcomerIds: list ? newcomersAmong(list, page) : [],
        nextAfterUserId: more ? (page.at(-1) ?? '') : '',
      };
    },
  };
}

/** Returns the newcomers within a page, whose members are in the order of their ids. Usually there are none. */
function newcomersAmong(list: MemberList, page: readonly string[]): string[] {
  const [first, last] = [Number(page[0]), Number(page.at(-1))];
  return newcomersOf(list).filter((id) => Number(id) >= first && Number(id) <= last);
}

/** Returns the index of the first id greater than `id`, by binary search. The ids ascend as numbers. */
function firstAfter(ids: readonly string[], id: number): number {
  let [from, to] = [0, ids.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (Number(ids[middle]) > id) to = middle;
    else from = middle + 1;
  }
  return from;
}

/** Groups the users by the gateways that may have their sessions. */
function groupByGateway(located: readonly Located[], userIds: readonly string[]): Recipients['gateways'] {
  const reached: Recipients['gateways'] = [];
  for (const { gateway, users } of located) {
    const there = users === 'unknown' ? [...userIds] : userIds.filter((id) => users.has(id));
    if (there.length > 0) {
      reached.push({ ...gateway, userIds: there });
    }
  }
  return reached;
}

const everywhere = (located: readonly Located[]): Recipients['gateways'] =>
  located.map(({ gateway }) => ({ ...gateway, userIds: [] }));
