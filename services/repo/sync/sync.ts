// Room: what a client missed while it was offline, within a budget of bytes. It only reads.

import { conversationType } from '../../../lib/domain/enumerations.ts';
import { limits } from '../../../lib/domain/limits.ts';
import { invalid } from '../../../lib/domain/refusals.ts';
import type {
  ConversationServiceService,
  SyncConversationsRequest,
  SyncedConversation,
} from '../../../lib/gen/im_repo/v1/conversation.ts';
import type { Message } from '../../../lib/gen/im_repo/v1/message.ts';
import { ReadPreference } from '../../../lib/gen/im_repo/v1/read_preference.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import { type LoadedViews, loadViews, toDetails } from '../conversation-lists/conversation-view.ts';
import type { FileLinks } from '../file-links/file-links.ts';
import { userIdOf } from '../rows/conversation-access.ts';
import { overlapMs } from '../storage/change-time.ts';
import type { Databases } from '../storage/databases.ts';
import { noChanges, readChanges, wantedChanges } from './sync-changes.ts';
import {
  countFitting,
  cutBetweenTimes,
  cutToBytes,
  type Entry,
  isMissing,
  maxChangedConversations,
  mayExceedBudget,
  oldestFirst,
  planChanges,
  planSync,
  type SyncRow,
  type Take,
} from './sync-plan.ts';
import {
  type ReadTokens,
  readMessages,
  readOldestMissing,
  readRecalled,
  readRows,
  readSizes,
  type SyncReadDeps,
} from './sync-reads.ts';

type Handlers = Pick<UnaryHandlers<typeof ConversationServiceService>, 'syncConversations'>;

/** Messages per answer. */
type MessageLimits = { perConversation: number; total: number };

/**
 * Everything that a client missed, in a few queries for any number of conversations. What does not fit into one answer
 * comes with the client's next requests. Missing messages come first: the client asks again with its advanced cursors
 * while `hasMore`. Changes and recalls follow: the client asks again with `serverTime` as the next `since` while
 * `moreChanges`. A client that keeps its old `since` still gets all messages and then stops; it gets the remaining
 * changes with its next sync, since `serverTime` is not later than the changes that it got. While a database of
 * conversations does not answer, the answer is partial, and `since` stays what it was.
 */
export function createSync(deps: SyncReadDeps): Handlers {
  const { databases } = deps;
  return {
    async syncConversations(request) {
      const userId = userIdOf(request.userId);
      const messageLimits = readMessageLimits(request);
      const since = request.since === 0 ? 0 : Math.max(1, request.since - overlapMs);

      const { time, rows, partial, tokens: present } = await readRows(databases, userId);
      const fromPrimary = request.readPreference === ReadPreference.READ_PREFERENCE_PRIMARY;
      const tokens: ReadTokens = fromPrimary ? new Map() : present;
      const own = new Set(rows.map((row) => String(row.id)));
      const entries = rows.flatMap((row) => entryOf(row, request.cursors));
      const plan = await planAnswer(deps, tokens, entries, since, messageLimits);
      const [recalls, loaded] = await Promise.all([
        since === 0 ? { recalled: [], until: undefined } : readRecalled(databases, tokens, rows, since),
        loadViews(deps, userId, {
          detailed: plan.takes.length,
          conversationIds: plan.takes.map(({ id }) => id),
        }),
      ]);
      // Read after the conversations: the answer must hold every change up to the numbers that they show. So replicas must
      // have what the conversations show, and changes come from the primary.
      const [messages, changes] = await Promise.all([
        readMessages(deps, fromPrimary ? new Map() : tokensOf(databases, loaded), plan.takes),
        plan.hasMore
          ? noChanges
          : readChanges(
              deps,
              wantedChanges(rows, lastChangesOf(loaded), request.changes),
              messageLimits.total - plan.messages,
            ),
      ]);
      const conversations = fill(plan.takes, messages, loaded, deps.links);
      const until = Math.min(
        plan.until ?? Number.POSITIVE_INFINITY,
        recalls.until ?? Number.POSITIVE_INFINITY,
      );
      return {
        conversations,
        recalled: recalls.recalled,
        // Of conversations in a database that does not answer nothing is known.
        removed: partial ? [] : Object.keys(request.cursors).filter((id) => !own.has(id)),
        hasMore: plan.hasMore || conversations.some(({ hasMore }) => hasMore) || changes.hasMore,
        changes: changes.changes,
        // A partial answer's `serverTime` repeats `since`: asking again at once would get the same changes.
        moreChanges: !partial && until !== Number.POSITIVE_INFINITY,
        // The next request's `since` is lowered by `overlapMs`, so this adds it.
        serverTime: partial ? request.since : Math.min(time, until + overlapMs),
        ...(partial ? { partial } : {}),
      };
    },
  };
}

/** A conversation with the client's cursor. The world room is included only if the request names it. */
function entryOf(row: SyncRow, cursors: Readonly<Record<string, number>>): Entry[] {
  const cursor = Object.hasOwn(cursors, String(row.id)) ? cursors[String(row.id)] : undefined;
  if (cursor !== undefined) return [{ ...row, cursor, named: true }];
  return row.type === conversationType.world ? [] : [{ ...row, cursor: 0, named: false }];
}

/** Plans the answer. `until` is the time up to which its changes are complete; undefined if it has all of them. */
async function planAnswer(
  deps: SyncReadDeps,
  tokens: ReadTokens,
  entries: readonly Entry[],
  since: number,
  messageLimits: MessageLimits,
): Promise<{ takes: Take[]; messages: number; hasMore: boolean; until: number | undefined }> {
  const missing = entries.filter(isMissing);
  const ordered = oldestFirst(missing, await readOldestMissing(deps.databases, tokens, missing));
  const planned = planSync(ordered, messageLimits);
  const changed = since === 0 ? [] : entries.filter(({ changed_at }) => changed_at > since);
  const changes = planChanges(changed);
  const keepFirst = planned.takes.length === 0;
  const first = cutBetweenTimes(changes, maxChangedConversations, { keepFirst });
  const all = [...planned.takes, ...first.kept.map(({ take }) => take)];
  const countOf = (takes: readonly Take[]) =>
    takes.reduce((count, { first, last }) => count + Math.max(0, last - first + 1), 0);
  const isMore = (takes: readonly Take[]) => takes.some(({ more }) => more);
  if (!mayExceedBudget(all)) {
    return {
      takes: all,
      messages: countOf(all),
      hasMore: planned.cut || isMore(planned.takes),
      until: first.until,
    };
  }
  const sizes = await readSizes(deps, tokens, all);
  const { takes, full, bytes } = cutToBytes(planned.takes, sizes);
  const count = countFitting(
    first.kept.map(({ take }) => take),
    sizes,
    bytes,
  );
  const second = cutBetweenTimes(first.kept, count, { keepFirst });
  const until = second.until ?? first.until;
  const kept = [...takes, ...second.kept.map(({ take }) => take)];
  return {
    takes: kept,
    messages: countOf(kept),
    // If messages displaced changes, the changes fit into the answer for the advanced cursors.
    hasMore: planned.cut || full || isMore(takes) || (until !== undefined && takes.length > 0),
    until,
  };
}

/** The number of the last change that each conversation of the answer shows, by conversation id. */
const lastChangesOf = ({ views }: LoadedViews): Map<number, number> =>
  new Map(views.map(({ basic, head }) => [Number(basic.id), head.lastChangeSeq]));

/** What replicas must have to show no less than the conversations of the answer do. */
const tokensOf = (databases: Databases, { views }: LoadedViews): ReadTokens =>
  new Map(views.map(({ basic, head }) => [databases.messagesOf(basic.id), head.token]));

/** Combines the planned conversations with their messages and details. */
function fill(
  takes: readonly Take[],
  messages: ReadonlyMap<number, Message[]>,
  { views, users }: LoadedViews,
  links: FileLinks,
): SyncedConversation[] {
  const byId = new Map(views.map((view) => [Number(view.basic.id), view]));
  return takes.flatMap(({ id, last, more, reset }): SyncedConversation[] => {
    const view = byId.get(id);
    // The user left the conversation, or it was dissolved, after the plan was made.
    if (!view) return [];
    const conversation = toDetails(view, users, { lastMessage: true, senderInfo: true }, links);
    // Messages that came after the plan was made: the conversation shows them already, so the client must ask for them.
    const hasMore = more || view.head.lastSeqId > last;
    return [{ conversation, messages: messages.get(id) ?? [], hasMore, reset }];
  });
}

function readMessageLimits(request: SyncConversationsRequest): MessageLimits {
  const { cursors, limitPerConversation, limitTotal } = request;
  for (const [id, seqId] of Object.entries(cursors)) {
    if (!Number.isSafeInteger(seqId) || seqId < 0) throw invalid(`cursors.${id}`, 'must be a seq id or 0');
  }
  for (const [id, changeSeq] of Object.entries(request.changes)) {
    if (!Number.isSafeInteger(changeSeq) || changeSeq < 0)
      throw invalid(`changes.${id}`, 'must be the number of a change or 0');
  }
  const { usual, most } = limits.syncMessages;
  const perConversation = limitPerConversation === 0 ? usual : limitPerConversation;
  const total = limitTotal === 0 ? most : limitTotal;
  if (perConversation < 1 || perConversation > most) {
    throw invalid('limit_per_conversation', `must be 1 to ${most}`);
  }
  if (total < 1 || total > most) throw invalid('limit_total', `must be 1 to ${most}`);
  return { perConversation, total };
}
