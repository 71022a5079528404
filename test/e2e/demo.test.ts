import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { createClient } from '@gochat/sdk';
import { gatewayUrl } from '../support/people/people.ts';

const run = promisify(execFile);

/** Runs `npm run seed` against the system under test. Returns the sign-ins that it prints. */
async function seed(...options: string[]): Promise<[username: string, password: string][]> {
  const { stdout } = await run(process.execPath, ['scripts/seed.ts', ...options]);
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.split(' ') as [string, string]);
}

test('a seed fills the system with people who have talked for months, once', async () => {
  const startedAt = Date.now();
  const signIns = await seed('--users', '24', '--seed', '11');
  assert.ok(Date.now() - startedAt < 60_000);
  assert.ok(signIns.length >= 3);
  const [[username, password] = ['', '']] = signIns;
  const client = createClient({ url: gatewayUrl, credentials: { username, password } });
  await client.connect();
  const listed = client.conversations.get();
  const groups = listed.filter(({ conversation }) => conversation.type === 2);
  assert.ok(groups.length > 0);
  assert.ok(listed.some(({ unreadCount }) => unreadCount > 0));
  assert.ok((await client.friends.list()).length > 3);
  assert.ok((await client.friends.requests({ direction: 'incoming', status: 0 })).length > 0);

  const [largest] = groups.toSorted((a, b) => b.conversation.lastSeqId - a.conversation.lastSeqId);
  const room = client.conversation(largest?.conversation.id ?? '');
  while (await room.loadOlder());
  const { messages } = room.get();
  assert.ok(messages.length >= 300);
  const times = messages.map(({ createdAt }) => createdAt);
  assert.ok((times.at(-1) ?? 0) - (times[0] ?? 0) >= 60 * 24 * 3_600_000);
  assert.ok(messages.some(({ reactions = [] }) => reactions.length > 0));
  assert.ok(messages.some(({ replyToSeqId }) => replyToSeqId !== undefined));
  const files = messages.filter(({ messageType }) => messageType !== 1);
  assert.deepEqual(new Set(files.map(({ messageType }) => messageType)), new Set([2, 3]));
  for (const { content } of files) {
    const file = JSON.parse(content);
    const answer = await fetch(new URL(file.url, gatewayUrl));
    assert.deepEqual([answer.status, (await answer.arrayBuffer()).byteLength], [200, file.size]);
  }
  const members = await room.loadMembers();
  assert.equal(members.length, 24);
  assert.deepEqual(new Set(members.map(({ role }) => role)), new Set([1, 2, 3]));
  await client.disconnect();

  assert.deepEqual(await seed('--users', '24', '--seed', '11'), signIns);
  const again = createClient({ url: gatewayUrl, credentials: { username, password } });
  await again.connect();
  assert.deepEqual(
    again.conversations.get().map(({ conversation }) => [conversation.name, conversation.lastSeqId]),
    listed.map(({ conversation }) => [conversation.name, conversation.lastSeqId]),
  );
  await again.disconnect();
});
