// Room: idempotency of repeated calls: stored responses, completed operations, and the texts that flows refer to by id.
// Code here knows nothing of what the calls do.

import { createHash, randomUUID } from 'node:crypto';
import { parseId } from '../../../lib/domain/ids.ts';
import { GoChatError } from '../../../lib/errors.ts';
import {
  type BeginRequestResponse,
  type IdempotencyServiceService,
  RequestState,
} from '../../../lib/gen/im_repo/v1/idempotency.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import { formatSql, isDuplicateKey, type Sql } from '../storage/database.ts';
import type { Databases } from '../storage/databases.ts';
import type { Ids } from '../storage/ids.ts';

/** How long a response is kept. */
const keepMs = 24 * 3_600_000;
const maxLeaseMs = 3_600_000;

type KeyRow = {
  request_hash: Buffer;
  resource_id: number;
  claim_expires_at: number;
  status_code: number | null;
  response_body: string | null;
  expires_at: number;
};

/** Gives a repeated request the response of the first one. */
export function createIdempotencyHandlers(deps: {
  databases: Databases;
  ids: Ids;
}): UnaryHandlers<typeof IdempotencyServiceService> {
  const { databases, ids } = deps;
  return {
    async checkMessageIdempotency({ conversationId, senderId, clientMsgId }) {
      const [row] = await databases.messagesOf(conversationId).query<{
        id: number;
        seq_id: number;
        created_at: number;
      }>(
        // Indexes: messages_client_msg_id, and the primary key of cold_client_msg_ids.
        ['messages', 'cold_client_msg_ids']
          .map((table) =>
            formatSql(
              `(SELECT id, seq_id, created_at FROM ${table}
                WHERE conversation_id = ? AND sender_id = ? AND client_msg_id = ?)`,
              [parseId(conversationId) ?? 0, parseId(senderId) ?? 0, Buffer.from(clientMsgId)],
            ),
          )
          .join(' UNION ALL '),
      );
      return row
        ? { exists: true, messageId: row.id, seqId: row.seq_id, createdAt: row.created_at }
        : { exists: false, messageId: 0, seqId: 0, createdAt: 0 };
    },

    async beginRequest({ scope, key, requestHash, leaseMs }) {
      if (requestHash.length !== 32) {
        throw new GoChatError('INVALID_ARGUMENT', 'The request hash must have 32 bytes.');
      }
      const keyHash = hashOf(scope, key);
      const claim = { name: randomUUID(), leaseMs: Math.min(Math.max(leaseMs, 1), maxLeaseMs) };
      try {
        // Most keys are new, so the common case is a single statement.
        const resourceId = ids.nextId();
        await insertClaim(databases.users, { keyHash, requestHash, resourceId, claim });
        return claimed(resourceId, claim.name);
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
      }
      return databases.users.transaction(async (tx) => {
        const [row] = await tx.query<KeyRow>(
          `SELECT request_hash, resource_id, claim_expires_at, status_code, response_body, expires_at
           FROM idempotency_keys WHERE key_hash = ? FOR UPDATE`,
          [keyHash],
        );
        const now = Date.now();
        if (!row || row.expires_at <= now) {
          const resourceId = ids.nextId();
          if (row) await tx.execute('DELETE FROM idempotency_keys WHERE key_hash = ?', [keyHash]);
          await insertClaim(tx, { keyHash, requestHash, resourceId, claim });
          return claimed(resourceId, claim.name);
        }
        const resourceId = String(row.resource_id);
        if (!row.request_hash.equals(requestHash)) return answer(RequestState.REQUEST_STATE_MISMATCH);
        if (row.status_code !== null) {
          return {
            ...answer(RequestState.REQUEST_STATE_DONE),
            resourceId,
            statusCode: row.status_code,
            responseBody: row.response_body ?? '',
          };
        }
        if (row.claim_expires_at > now) {
          return { ...answer(RequestState.REQUEST_STATE_IN_PROGRESS), resourceId };
        }
        await tx.execute('UPDATE idempotency_keys SET claim = ?, claim_expires_at = ? WHERE key_hash = ?', [
          claim.name,
          now + claim.leaseMs,
          keyHash,
        ]);
        return claimed(row.resource_id, claim.name);
      });
    },

    async completeRequest({ scope, key, claim, statusCode, responseBody }) {
      // A caller that lost its claim changes nothing: the response of the new holder is kept.
      await databases.users.execute(
        `UPDATE idempotency_keys SET status_code = ?, response_body = ?, expires_at = ?
         WHERE key_hash = ? AND claim = ? AND status_code IS NULL`,
        [statusCode, responseBody, Date.now() + keepMs, hashOf(scope, key), claim],
      );
      return {};
    },

    async abandonRequest({ scope, key, claim }) {
      // The row stays because the next claim must get the same resource id: part of the resource may already exist.
      await databases.users.execute(
        'UPDATE idempotency_keys SET claim_expires_at = 0 WHERE key_hash = ? AND claim = ? AND status_code IS NULL',
        [hashOf(scope, key), claim],
      );
      return {};
    },
  };
}

/** SHA-256 of scope and key; the scope's length keeps ('ab', 'c') and ('a', 'bc') apart. */
const hashOf = (scope: string, key: string): Buffer =>
  createHash('sha256')
    .update(`${Buffer.byteLength(scope)}:${scope}${key}`)
    .digest();

async function insertClaim(
  sql: Sql,
  row: {
    keyHash: Buffer;
    requestHash: Buffer;
    resourceId: number;
    claim: { name: string; leaseMs: number };
  },
): Promise<void> {
  const now = Date.now();
  await sql.execute(
    `INSERT INTO idempotency_keys (key_hash, request_hash, resource_id, claim, claim_expires_at, expires_at)
     VALUES (?)`,
    [[row.keyHash, row.requestHash, row.resourceId, row.claim.name, now + row.claim.leaseMs, now + keepMs]],
  );
}

const answer = (state: RequestState): BeginRequestResponse => ({
  state,
  resourceId: '',
  statusCode: 0,
  responseBody: '',
  claim: '',
});

const claimed = (resourceId: number, claim: string): BeginRequestResponse => ({
  ...answer(RequestState.REQUEST_STATE_NEW),
  resourceId: String(resourceId),
  claim,
});
