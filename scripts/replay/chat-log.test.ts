import assert from 'node:assert/strict';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readChatLog, usernamesFor } from './chat-log.ts';

const fileWith = async (lines: unknown[]): Promise<string> => {
  const path = join(await mkdtemp(join(tmpdir(), 'gochat-log-')), 'log.jsonl');
  await writeFile(
    path,
    lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'),
  );
  return path;
};

test('a person who speaks or leaves before joining was a member from the start', async () => {
  const log = await readChatLog(
    await fileWith([
      { event: 'join', nick: 'ann' },
      { event: 'say', nick: 'bob', text: 'hi' },
      { event: 'leave', nick: 'cy' },
    ]),
  );
  assert.deepEqual(log.nicks, ['ann', 'bob', 'cy']);
  assert.deepEqual(log.presentAtStart, ['bob', 'cy']);
});

test('an empty line is counted and not replayed', async () => {
  const log = await readChatLog(await fileWith([{ event: 'say', nick: 'ann', text: '' }]));
  assert.equal(log.emptyLines, 1);
  assert.equal(log.events.length, 0);
});

test('a wrong line is named', async () => {
  const path = await fileWith([{ event: 'say', nick: 'ann', text: 'x' }, '{"event":"dance","nick":"bob"}']);
  await assert.rejects(readChatLog(path), /:2: event must be/);
});

test('nicks that differ only in forbidden characters or case get different names', () => {
  const names = usernamesFor(['a[]', 'a{}', 'A--', 'b'], 'r1');
  assert.equal(new Set([...names.values()].map((name) => name.toLowerCase())).size, 4);
  for (const name of names.values()) assert.match(name, /^[A-Za-z0-9_.-]{3,50}$/);
});
