import type { SendState } from '../../../lib/domain/enumerations.ts';
import type { Database } from '../storage/database.ts';

// The gate of a single conversation: conversations.send_state, which says whether it takes messages, and the version of
// the pair that it was derived from, on the conversation's head. Who saves messages holds the head's lock.

export type Gate = { conversationId: number; state: SendState; version: number };

/**
 * Closes a gate for a change that is about to get this version: from here on, no older version opens it. The head is
 * made if the conversation is just being created; whoever creates it then finds the gate closed. `also` are statements
 * of the same transaction.
 */
export async function closeGate(database: Database, gate: Gate, also: readonly string[]): Promise<void> {
  const { conversationId, version } = gate;
  await database.transaction((tx) =>
    tx.batchAndCommit(
      [
        `INSERT INTO conversation_heads (conversation_id, send_state_version) VALUES (${conversationId}, ${version})
         ON DUPLICATE KEY UPDATE send_state_version = GREATEST(send_state_version, VALUES(send_state_version))`,
        setState(gate),
        ...also,
      ].join(';\n'),
    ),
  );
}

/** Returns the statements that open or close a gate after the commit of a version, unless a newer one wrote it. */
export const gateStatements = (gate: Gate): string[] => [
  `UPDATE conversation_heads SET send_state_version = ${gate.version}
   WHERE conversation_id = ${gate.conversationId} AND send_state_version <= ${gate.version}`,
  setState(gate),
];

export async function writeGate(database: Database, gate: Gate, also: readonly string[] = []): Promise<void> {
  await database.transaction((tx) => tx.batchAndCommit([...gateStatements(gate), ...also].join(';\n')));
}

const setState = ({ conversationId, state, version }: Gate): string =>
  `UPDATE conversations c JOIN conversation_heads h ON h.conversation_id = c.id
   SET c.send_state = ${state} WHERE c.id = ${conversationId} AND h.send_state_version = ${version}`;

/** The version of a gate; undefined if the conversation has no head yet. */
export async function readGateVersion(
  database: Database,
  conversationId: number,
): Promise<number | undefined> {
  const [row] = await database.query<{ version: number }>(
    'SELECT send_state_version AS version FROM conversation_heads WHERE conversation_id = ?',
    [conversationId],
  );
  return row?.version;
}
