import { eventually } from '../eventually.ts';
import { startPrivateRedis } from '../servers/redis-server.ts';
import { createConversationParts } from './conversation-parts.ts';
import { createMessageParts } from './message-parts.ts';
import { createRepoParts, type RepoPartsOptions } from './repo-parts.ts';

/**
 * The dependencies of repo's handlers, with a separate database and Redis for the test file. A file opens them at its
 * top level, before its first test; they are closed at the end of the file.
 */
export async function openRepoParts(options: RepoPartsOptions = {}) {
  const redis = await startPrivateRedis();
  const parts = await createRepoParts({ redisUrl: redis.url, ...options });
  await eventually(() => parts.redis.isUp());
  return { redis, parts };
}

/** The same with repo's handlers for messages and presence. */
export async function openMessageRepo(options: RepoPartsOptions = {}) {
  const { redis, parts } = await openRepoParts(options);
  return { redis, repo: createMessageParts(parts) };
}

/** The same with repo's handlers for conversations as well, and users for them. */
export async function openConversationRepo() {
  const { redis, parts } = await openRepoParts();
  return { redis, repo: createConversationParts(parts) };
}
