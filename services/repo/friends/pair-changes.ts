import type { SendState } from '../../../lib/domain/enumerations.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { Logger } from '../../../lib/log.ts';
import {
  forgetProjection,
  noteProjection,
  type Pending,
  pendingProjection,
} from '../projections/projections.ts';
import type { Transaction } from '../storage/database.ts';
import type { Databases } from '../storage/databases.ts';
import {
  lockPair,
  type Pair,
  type PairRow,
  pairOfKey,
  readPair,
  type Standing,
  sendStateOf,
  standingStatements,
  toStanding,
} from './friendship-pair.ts';
import { closeGate, readGateVersion, writeGate } from './send-gate.ts';

const attempts = 6;
/** The kind of these projections: a pair's standing, which decides whether its conversation takes messages. */
export const pairProjection = 'pair';

export type PairChanges = {
  /**
   * Runs a change that may open the pair's conversation, such as accepting or unblocking, under the lock of the pair. The
   * conversation opens after the commit. `work` answers whether it changed the friendship or a block.
   */
  opening<T>(pair: Pair, work: (tx: Transaction) => Promise<{ changed: boolean; result: T }>): Promise<T>;
  /**
   * Runs a change that closes the pair's conversation, such as blocking, under the lock of the pair. The conversation
   * is closed before the commit, with `state`, so that no message is stored after anybody could see the change. If the
   * change fails, it opens again.
   */
  closing<T>(
    pair: Pair,
    state: SendState,
    work: (tx: Transaction) => Promise<T>,
    options?: { evenClosed?: boolean },
  ): Promise<T>;
};

/**
 * Changes pairs and projects them to their conversations, which may lie in another database. The version of the pair
 * decides which of two projections is the newer one.
 */
export function createPairChanges(deps: { databases: Databases; log: Logger }): PairChanges {
  const { databases, log } = deps;
  const settle = createPairSettling(deps);

  /** The change is committed: whatever fails now is written later by the worker of projections. */
  const afterCommit = (pair: Pair, work: () => Promise<void>): Promise<void> =>
    work().catch((error: unknown) =>
      log.warn({ err: error, pair: pair.key }, 'cannot tell a conversation of its pair now'),
    );

  return {
    async opening(pair, work) {
      const pending = pendingProjection(pairProjection, pair.key);
      const { result, committed } = await databases.users.transaction(async (tx) => {
        const before = await lockPair(tx, pair);
        const done = await work(tx);
        if (!done.changed) return { result: done.result, committed: undefined };
        // Without a conversation there is nobody to tell.
        const notes = before.conversationId === undefined ? [] : [noteProjection(pending)];
        return { result: done.result, committed: await commit(tx, pair, before, notes) };
      });
      if (committed?.conversationId !== undefined) {
        await afterCommit(pair, async () => {
          await write(databases, committed);
          await databases.users.execute(forgetProjection(pending));
        });
      }
      return result;
    },

    async closing(pair, state, work, { evenClosed = false } = {}) {
      for (let left = attempts - 1; left >= 0; left -= 1) {
        const before = await readPair(databases.users, pair);
        const pending = pendingProjection(pairProjection, pair.key);
        await closeBefore(databases, before, state, pending);
        const done = await databases.users
          .transaction(async (tx) => {
            const current = await lockPair(tx, pair, { evenClosed });
            // Another change came in between, and what it opened may be open: close that, too, and begin again.
            if (!isSame(before, current)) return undefined;
            const result = await work(tx);
            return { result, committed: await commit(tx, pair, current, []) };
          })
          .catch(async (error: unknown) => {
            await afterCommit(pair, () => settle(pair.key));
            throw error;
          });
        if (!done) continue;
        await afterCommit(pair, () => write(databases, done.committed, pending));
        return done.result;
      }
      await afterCommit(pair, () => settle(pair.key));
      throw new GoChatError('UNAVAILABLE', 'The relationship is changing too often right now. Try again.');
    },
  };
}

const isSame = (a: PairRow, b: PairRow): boolean =>
  a.version === b.version && a.conversationId === b.conversationId;

type Committed = PairRow & { standing: Standing };

/** Commits the change as the pair's next version. */
async function commit(
  tx: Transaction,
  pair: Pair,
  before: PairRow,
  also: readonly string[],
): Promise<Committed> {
  const statements = [
    `UPDATE pairs SET version = version + 1 WHERE low_id = ${pair.low} AND high_id = ${pair.high}`,
    ...also,
  ];
  const results = await tx.batchAndCommit([...statements, ...standingStatements(pair)].join(';\n'));
  const standing = toStanding(results.slice(statements.length));
  return { version: before.version + 1, conversationId: before.conversationId, standing };
}

/** The note belongs to the conversation's transaction: if this process dies, another one finds out what became of it. */
async function closeBefore(
  databases: Databases,
  { conversationId, version }: PairRow,
  state: SendState,
  pending: Pending,
): Promise<void> {
  if (conversationId === undefined) return;
  await closeGate(databases.messagesOf(conversationId), { conversationId, state, version: version + 1 }, [
    noteProjection(pending),
  ]);
}

async function write(
  databases: Databases,
  { conversationId, version, standing }: Committed,
  pending?: Pending,
): Promise<void> {
  if (conversationId === undefined) return;
  await writeGate(
    databases.messagesOf(conversationId),
    { conversationId, version, state: sendStateOf(standing) },
    pending ? [forgetProjection(pending)] : [],
  );
}

/**
 * Returns the function that writes the present standing of a pair to its conversation. If a change closed the gate and
 * never committed, the pair takes over the gate's version first: should that change still be running, it notices.
 */
export function createPairSettling({ databases }: { databases: Databases }): (key: string) => Promise<void> {
  return async (key) => {
    const pair = pairOfKey(key);
    for (let left = attempts; left > 0; left -= 1) {
      const current = await readPair(databases.users, pair);
      if (current.conversationId === undefined) return;
      const conversations = databases.messagesOf(current.conversationId);
      const gateVersion = await readGateVersion(conversations, current.conversationId);
      // Whoever creates the conversation takes the state from the pair.
      if (gateVersion === undefined) return;
      if (gateVersion <= current.version) return write(databases, current);
      await databases.users.execute(
        'UPDATE pairs SET version = GREATEST(version, ?) WHERE low_id = ? AND high_id = ?',
        [gateVersion, pair.low, pair.high],
      );
    }
    throw new Error(`the pair ${key} is changing too often to settle`);
  };
}
