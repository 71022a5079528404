import { eventually } from '../eventually.ts';
import { startPrivateRedis } from '../servers/redis-server.ts';
import { createConversationParts } from './conversation-parts.ts';
import { createMessageParts } from './message-parts.ts';
import { createRepoParts } from './repo-parts.ts';

/**
 * What repo's handlers are made of, over a database and a Redis of the test file's own. A file opens one at its top
 * level, before its first test; it is closed at the file's end.
 */
export async function openRepoParts() {
  const redis = await startPrivateRedis();
  const parts = await createRepoParts({ redisUrl: redis.url });
  await eventually(() => parts.redis.isUp());
  return { redis, parts };
}

/** The same with repo's handlers for messages and presence. */
export async function openMessageRepo() {
  const { redis, parts } = await openRepoParts();
  return { redis, repo: createMessageParts(parts) };
}

/** The same with repo's handlers for conversations as well, and people to use them. */
export async function openConversationRepo() {
  const { redis, parts } = await openRepoParts();
  return { redis, repo: createConversationParts(parts) };
}
