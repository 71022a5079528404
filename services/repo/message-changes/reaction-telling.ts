import { createSingleFlight } from '../../../lib/async/single-flight.ts';
import { codeOf } from '../../../lib/errors.ts';
import type { Message } from '../../../lib/gen/im_repo/v1/message.ts';
import type { Logger } from '../../../lib/log.ts';
import { domainEvent } from '../outbox/outbox.ts';
import { formatSql } from '../storage/database.ts';
import { type Databases, fromAll } from '../storage/databases.ts';
import { isTrue } from '../storage/sql.ts';
import { aboutMessage, type Change, type ChangeMessage, type ChangeState } from './message-change.ts';

/** At least this long between two tellings of reactions to one message: a little more, so that no second has five. */
const paceMs = 275;
/** Rows per telling. The rest follows with the next telling. */
const maxPerTelling = 500;
/** Reactions that are stored and still not told after this time were left by a process that died. */
const leftAfterMs = 2000;
const lookEveryMs = 1000;
const maxPerLook = 100;
/** The bound of timers in this process; reactions without a timer are found like those of a process that died. */
const maxTimers = 10_000;

export type Reacted = { emoji: string; on: boolean };

type Untold = { user_id: number; emoji: Buffer; is_on: number };

export type ReactionTelling = {
  /** Adds to a change how its reaction is told: with the change, or later together with others. */
  tellNowOrLater(state: ChangeState, change: Change, reacted: Reacted): Promise<Change>;
  /** Tells the stored reactions to a message when its pace allows it. */
  schedule(message: Pick<Message, 'conversationId' | 'id'>): void;
  stop(): Promise<void>;
};

/**
 * Tells members of reactions, at most four times per second and message: reactions that come faster are stored in
 * untold_reactions and told together, as one change. After a crash between storing and telling, any process finds these
 * rows.
 */
export function startReactionTelling(deps: {
  databases: Databases;
  changeMessage: ChangeMessage;
  log: Logger;
}): ReactionTelling {
  const { databases, changeMessage, log } = deps;
  const timers = new Map<string, NodeJS.Timeout>();
  const running = new Set<Promise<void>>();
  let stopping = false;

  function schedule(message: Pick<Message, 'conversationId' | 'id'>): void {
    const key = `${message.conversationId}/${message.id}`;
    if (stopping || timers.has(key) || timers.size >= maxTimers) return;
    const timer = setTimeout(() => {
      timers.delete(key);
      const telling = tell(message).finally(() => running.delete(telling));
      running.add(telling);
    }, paceMs);
    timers.set(key, timer.unref());
  }

  async function tell({ conversationId, id }: Pick<Message, 'conversationId' | 'id'>): Promise<void> {
    try {
      let more = false;
      await changeMessage({ actorId: '', conversationId, messageId: id }, async (state) => {
        const { toldAt, untold } = await readUntold(state);
        if (untold.length === 0) return undefined;
        if (!state.delivered || Date.now() - toldAt < paceMs) {
          more = true;
          return undefined;
        }
        const some = untold.slice(0, maxPerTelling);
        more = some.length < untold.length;
        return told(state, { message: state.message, statements: [deleteUntold(state, some)] }, some);
      });
      if (more) schedule({ conversationId, id });
    } catch (error) {
      const code = codeOf(error);
      if (code === 'CONVERSATION_NOT_FOUND' || code === 'MESSAGE_NOT_FOUND') await forget(conversationId, id);
      else log.warn({ err: error }, 'cannot tell of reactions now');
    }
  }

  /** Deletes what there is nobody left to tell of. */
  async function forget(conversationId: string, messageId: number): Promise<void> {
    await databases.messagesOf(conversationId).execute(
      `DELETE u FROM untold_reactions u
       JOIN messages m ON m.conversation_id = u.conversation_id AND m.seq_id = u.seq_id
       WHERE m.id = ? AND m.conversation_id = ?`,
      [messageId, Number(conversationId)],
    );
  }

  async function lookForLeft(): Promise<void> {
    const until = Date.now() - leftAfterMs;
    const rows = await fromAll(databases.shards, (database) =>
      // Indexes: untold_reactions_time, and the primary key of messages.
      database.query<{ conversation_id: number; id: number }>(
        `SELECT DISTINCT u.conversation_id, m.id FROM untold_reactions u
         JOIN messages m ON m.conversation_id = u.conversation_id AND m.seq_id = u.seq_id
         WHERE u.created_at < ? LIMIT ?`,
        [until, maxPerLook],
      ),
    );
    for (const { conversation_id, id } of rows) {
      if (!stopping) await tell({ conversationId: String(conversation_id), id });
    }
  }

  const looks = createSingleFlight(() =>
    lookForLeft().catch((error: unknown) => log.warn({ err: error }, 'cannot look for untold reactions')),
  );
  const looking = setInterval(looks.run, lookEveryMs).unref();

  return {
    async tellNowOrLater(state, change, reacted) {
      const { toldAt, untold } = await readUntold(state);
      const row: Untold = {
        user_id: state.actorId,
        emoji: Buffer.from(reacted.emoji),
        is_on: reacted.on ? 1 : 0,
      };
      const isDue = state.delivered && untold.length === 0 && Date.now() - toldAt >= paceMs;
      if (isDue) return told(state, change, [row]);
      // Together with an untold reaction that it undoes, there is nothing to tell.
      const undone = untold.some((one) => one.user_id === row.user_id && one.emoji.equals(row.emoji));
      const statement = undone ? deleteUntold(state, [row]) : insertUntold(state, row);
      return { ...change, statements: [...change.statements, statement] };
    },
    schedule,
    async stop() {
      stopping = true;
      clearInterval(looking);
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
      await Promise.all([looks.inFlight(), ...running]);
    },
  };
}

/** When reactions to the message were told last, and the first ones that were not told. */
async function readUntold({
  tx,
  conversationId,
  message,
}: ChangeState): Promise<{ toldAt: number; untold: Untold[] }> {
  const place = [conversationId, message.seqId];
  const [changes, untold] = (await tx.batch(
    [
      formatSql(
        'SELECT reactions_told_at FROM message_changes WHERE conversation_id = ? AND seq_id = ?',
        place,
      ),
      // Index: the primary key of untold_reactions.
      formatSql(
        `SELECT user_id, emoji, is_on FROM untold_reactions WHERE conversation_id = ? AND seq_id = ? LIMIT ?`,
        [...place, maxPerTelling + 1],
      ),
    ].join(';\n'),
  )) as [{ reactions_told_at: number }[], Untold[]];
  return { toldAt: changes[0]?.reactions_told_at ?? 0, untold };
}

function told(state: ChangeState, change: Change, untold: readonly Untold[]): Change {
  const { conversationId, message } = state;
  const reacted = untold.map(({ user_id, emoji, is_on }) => ({
    user_id: String(user_id),
    emoji: emoji.toString('utf8'),
    on: isTrue(is_on),
  }));
  const [first, ...others] = reacted;
  return {
    message: change.message,
    statements: [
      ...change.statements,
      formatSql(
        `INSERT INTO message_changes (conversation_id, seq_id, change_seq, reactions_told_at) VALUES (?)
         ON DUPLICATE KEY UPDATE reactions_told_at = VALUES(reactions_told_at)`,
        [[conversationId, message.seqId, message.changeSeq ?? 0, Date.now()]],
      ),
    ],
    tell: {
      reacted,
      events: [
        domainEvent({
          type: 'message.reacted',
          ...aboutMessage(state),
          actor_id: others.length === 0 ? (first?.user_id ?? '') : '',
          reacted,
        }),
      ],
    },
  };
}

const insertUntold = ({ conversationId, message }: ChangeState, row: Untold): string =>
  formatSql(
    `INSERT INTO untold_reactions (conversation_id, seq_id, user_id, emoji, is_on, created_at) VALUES (?)
     ON DUPLICATE KEY UPDATE is_on = VALUES(is_on)`,
    [[conversationId, message.seqId, row.user_id, row.emoji, row.is_on, Date.now()]],
  );

const deleteUntold = ({ conversationId, message }: ChangeState, rows: readonly Untold[]): string =>
  formatSql(
    'DELETE FROM untold_reactions WHERE conversation_id = ? AND seq_id = ? AND (user_id, emoji) IN (?)',
    [conversationId, message.seqId, rows.map(({ user_id, emoji }) => [user_id, emoji])],
  );
