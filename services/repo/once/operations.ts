import { createHash } from 'node:crypto';
import { formatSql } from '../storage/database.ts';
import type { Databases } from '../storage/databases.ts';

/** How long a repeated operation is recognized. */
const keepMs = 24 * 3_600_000;

export type Operations = {
  /**
   * Runs a change of a conversation once per operation id. A repeated call gets the result of the first one. `work`
   * must store its result in its own transaction with `storeAnswer`. Without an operation id, `work` always runs.
   */
  once<T>(conversationId: number, operationId: string | undefined, work: () => Promise<T>): Promise<T>;
};

/** Deduplicates changes whose caller may die before it reads the result and then retries. */
export function createOperations({ databases }: { databases: Databases }): Operations {
  async function read(conversationId: number, hash: Buffer): Promise<string | undefined> {
    const [row] = await databases
      .messagesOf(conversationId)
      .query<{ response_body: string | null }>(
        'SELECT response_body FROM idempotency_keys WHERE key_hash = ? AND expires_at > ?',
        [hash, Date.now()],
      );
    return row?.response_body ?? undefined;
  }

  return {
    async once<T>(
      conversationId: number,
      operationId: string | undefined,
      work: () => Promise<T>,
    ): Promise<T> {
      if (!operationId) return work();
      const hash = hashOf(conversationId, operationId);
      const before = await read(conversationId, hash);
      if (before !== undefined) return JSON.parse(before);
      try {
        return await work();
      } catch (error) {
        // A concurrent call with the same operation id may have come first. Return its result then.
        const meanwhile = await read(conversationId, hash);
        if (meanwhile !== undefined) return JSON.parse(meanwhile);
        throw error;
      }
    },
  };
}

/** Returns the statement that stores the result, for the transaction of the change, so that both commit or neither. */
export function storeAnswer(
  conversationId: number,
  operationId: string | undefined,
  answer: object,
): string[] {
  if (!operationId) return [];
  const hash = hashOf(conversationId, operationId);
  const row = [hash, hash, conversationId, '', 0, 200, JSON.stringify(answer), Date.now() + keepMs];
  return [
    formatSql(
      `INSERT INTO idempotency_keys
         (key_hash, request_hash, resource_id, claim, claim_expires_at, status_code, response_body, expires_at)
       VALUES (?)`,
      [row],
    ),
  ];
}

const hashOf = (conversationId: number, operationId: string): Buffer =>
  createHash('sha256').update(`operation\n${conversationId}\n${operationId}`).digest();
