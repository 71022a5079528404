// Room: what a client that was away has missed, within a budget of bytes. It only reads.

import { conversationType } from '../../../lib/domain/enumerations.ts';
import { limits } from '../../../lib/domain/limits.ts';
import { invalid } from '../../../lib/domain/refusals.ts';
import type {
  ConversationServiceService,
  SyncConversationsRequest,
  SyncedConversation,
} from '../../../lib/gen/im_repo/v1/conversation.ts';
import type { Message } from '../../../lib/gen/im_repo/v1/message.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import { type LoadedViews, loadViews, toDetails } from '../conversation-lists/conversation-view.ts';
import { userIdOf } from '../rows/conversation-access.ts';
import type { UserCards } from '../rows/user-cards.ts';
import { overlapMs } from '../storage/change-time.ts';
import type { Databases } from '../storage/database.ts';
import {
  countFitting,
  cutBetweenTimes,
  cutToBytes,
  type Entry,
  isMissing,
  mayNotFit,
  mostChanged,
  oldestFirst,
  planChanges,
  planSync,
  type SyncRow,
  type Take,
} from './sync-plan.ts';
import { readMessages, readOldestMissing, readRecalled, readRows, readSizes } from './sync-reads.ts';

type Handlers = Pick<UnaryHandlers<typeof ConversationServiceService>, 'syncConversations'>;

type Deps = { databases: Databases; userCards: UserCards };

/** For messages. */
type Room = { each: number; total: number };

/**
 * Everything that a client missed, in a handful of queries, however many conversations it has. What does not fit into an
 * answer comes when the client asks on: messages by its advanced cursors (`hasMore`), which come first, and changes and
 * recalls by `serverTime` as the next `since` (`moreChanges`). A client that asks on with its old `since` gets the messages
 * too and comes to an end: the rest of the changes is told the next time, since serverTime is no later than what was told.
 */
export function createSync(deps: Deps): Handlers {
  const { databases } = deps;
  return {
    async syncConversations(request) {
      const userId = userIdOf(request.userId);
      const room = readRoom(request);
      const since = request.since === 0 ? 0 : Math.max(1, request.since - overlapMs);

      const { time, rows } = await readRows(databases.conversations, userId);
      const own = new Set(rows.map((row) => String(row.id)));
      const entries = rows.flatMap((row) => entryOf(row, request.cursors));
      const plan = await planAnswer(deps, entries, since, room);
      const [messages, recalls, loaded] = await Promise.all([
        readMessages(deps, plan.takes),
        since === 0 ? { recalled: [], until: undefined } : readRecalled(databases, rows, since),
        loadViews(databases.conversations, userId, {
          detailed: plan.takes.length,
          conversationIds: plan.takes.map(({ id }) => id),
        }),
      ]);
      const until = Math.min(
        plan.until ?? Number.POSITIVE_INFINITY,
        recalls.until ?? Number.POSITIVE_INFINITY,
      );
      return {
        conversations: fill(plan.takes, messages, loaded),
        recalled: recalls.recalled,
        removed: Object.keys(request.cursors).filter((id) => !own.has(id)),
        hasMore: plan.hasMore,
        moreChanges: until !== Number.POSITIVE_INFINITY,
        // Since a time, one is answered since `overlapMs` before it.
        serverTime: Math.min(time, until + overlapMs),
      };
    },
  };
}

/** One of the user's conversations beside its cursor. The world room comes only when it is named. */
function entryOf(row: SyncRow, cursors: Readonly<Record<string, number>>): Entry[] {
  const cursor = Object.hasOwn(cursors, String(row.id)) ? cursors[String(row.id)] : undefined;
  if (cursor !== undefined) return [{ ...row, cursor, named: true }];
  return row.type === conversationType.world ? [] : [{ ...row, cursor: 0, named: false }];
}

/** What goes into the answer. `until`: up to when changes are told in it, if not all of them are. */
async function planAnswer(
  deps: Deps,
  entries: readonly Entry[],
  since: number,
  room: Room,
): Promise<{ takes: Take[]; hasMore: boolean; until: number | undefined }> {
  const missing = entries.filter(isMissing);
  const ordered = oldestFirst(missing, await readOldestMissing(deps.databases, missing));
  const planned = planSync(ordered, room);
  const changed = since === 0 ? [] : entries.filter(({ changed_at }) => changed_at > since);
  const changes = planChanges(changed);
  const some = planned.takes.length === 0;
  const first = cutBetweenTimes(changes, mostChanged, { some });
  const all = [...planned.takes, ...first.told.map(({ take }) => take)];
  const isMore = (takes: readonly Take[]) => takes.some(({ more }) => more);
  if (!mayNotFit(all)) {
    return { takes: all, hasMore: planned.cut || isMore(planned.takes), until: first.until };
  }
  const sizes = await readSizes(deps, all);
  const { takes, full, bytes } = cutToBytes(planned.takes, sizes);
  const count = countFitting(
    first.told.map(({ take }) => take),
    sizes,
    bytes,
  );
  const second = cutBetweenTimes(first.told, count, { some });
  const until = second.until ?? first.until;
  return {
    takes: [...takes, ...second.told.map(({ take }) => take)],
    // Where messages took the room of changes, there is room for them once the cursors are advanced.
    hasMore: planned.cut || full || isMore(takes) || (until !== undefined && takes.length > 0),
    until,
  };
}

/** Puts the answer together. */
function fill(
  takes: readonly Take[],
  messages: ReadonlyMap<number, Message[]>,
  { views, users }: LoadedViews,
): SyncedConversation[] {
  const byId = new Map(views.map((view) => [Number(view.basic.id), view]));
  return takes.flatMap(({ id, more, reset }): SyncedConversation[] => {
    const view = byId.get(id);
    // Lost since it was planned.
    if (!view) return [];
    const conversation = toDetails(view, users, { lastMessage: true, senderInfo: true });
    return [{ conversation, messages: messages.get(id) ?? [], hasMore: more, reset }];
  });
}

function readRoom({ cursors, limitPerConversation, limitTotal }: SyncConversationsRequest): Room {
  for (const [id, seqId] of Object.entries(cursors)) {
    if (!Number.isSafeInteger(seqId) || seqId < 0) throw invalid(`cursors.${id}`, 'must be a seq id or 0');
  }
  const { usual, most } = limits.syncMessages;
  const each = limitPerConversation === 0 ? usual : limitPerConversation;
  const total = limitTotal === 0 ? most : limitTotal;
  if (each < 1 || each > most) throw invalid('limit_per_conversation', `must be 1 to ${most}`);
  if (total < 1 || total > most) throw invalid('limit_total', `must be 1 to ${most}`);
  return { each, total };
}
