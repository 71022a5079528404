import { createHash } from 'node:crypto';
import { type Databases, formatSql } from '../storage/database.ts';

/** How long a repeat is recognized. */
const keepMs = 24 * 3_600_000;

export type Operations = {
  /**
   * Carries out a change of a conversation that has a name, once: a repeat gets the first one's answer. The change
   * itself has to store its answer, with `storeAnswer`, in its own transaction. Without a name it is just done.
   */
  once<T>(conversationId: number, operationId: string | undefined, work: () => Promise<T>): Promise<T>;
};

/** Changes whose caller may die before it reads the answer, and then asks again without knowing. */
export function createOperations({ databases }: { databases: Databases }): Operations {
  async function read(hash: Buffer): Promise<string | undefined> {
    const [row] = await databases.conversations.query<{ response_body: string | null }>(
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
      const before = await read(hash);
      if (before !== undefined) return JSON.parse(before);
      try {
        return await work();
      } catch (error) {
        // Refused since another one with this name came first: then the answer is that one's.
        const meanwhile = await read(hash);
        if (meanwhile !== undefined) return JSON.parse(meanwhile);
        throw error;
      }
    },
  };
}

/** The statement that goes with a change, so that either both are stored or neither is. */
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
