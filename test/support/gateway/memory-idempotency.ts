import { randomUUID } from 'node:crypto';
import { RequestState } from '../../../lib/gen/im_repo/v1/idempotency.ts';
import type { RepoClient } from '../../../lib/grpc/clients.ts';

type Entry = { hash: string; claim: string; resourceId: string; statusCode: number; responseBody: string };

/** im-repo's idempotency keys in memory, without expiry, and the stored entries. */
export type MemoryIdempotency = RepoClient['idempotency'] & { readonly entries: Map<string, Entry> };

export function createMemoryIdempotency(): MemoryIdempotency {
  const entries = new Map<string, Entry>();
  let nextResource = 5000;
  const blank = { resourceId: '', statusCode: 0, responseBody: '', claim: '' };
  return {
    entries,
    async beginRequest({ scope, key, requestHash }) {
      const name = `${scope}\n${key}`;
      const hash = Buffer.from(requestHash).toString('hex');
      const known = entries.get(name);
      if (!known) {
        nextResource += 1;
        const entry = { ...blank, hash, claim: randomUUID(), resourceId: String(nextResource) };
        entries.set(name, entry);
        return {
          ...blank,
          state: RequestState.REQUEST_STATE_NEW,
          claim: entry.claim,
          resourceId: entry.resourceId,
        };
      }
      if (known.hash !== hash) return { ...blank, state: RequestState.REQUEST_STATE_MISMATCH };
      if (known.statusCode === 0) return { ...blank, state: RequestState.REQUEST_STATE_IN_PROGRESS };
      const { statusCode, responseBody } = known;
      return { ...blank, state: RequestState.REQUEST_STATE_DONE, statusCode, responseBody };
    },
    async completeRequest({ scope, key, claim, statusCode, responseBody }) {
      const entry = entries.get(`${scope}\n${key}`);
      if (entry?.claim === claim) Object.assign(entry, { statusCode, responseBody });
      return {};
    },
    async abandonRequest({ scope, key, claim }) {
      const name = `${scope}\n${key}`;
      if (entries.get(name)?.claim === claim) entries.delete(name);
      return {};
    },
    checkMessageIdempotency: async () => ({ exists: false, messageId: 0, seqId: 0, createdAt: 0 }),
  };
}
