import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import {
  type Data,
  gatewayUrl,
  newFriends,
  newPerson,
  password,
  uniqueName,
} from '../support/people/people.ts';

const running: ReturnType<typeof spawn>[] = [];
after(() => {
  for (const program of running) program.kill();
});

/** Starts the terminal client as programs do. `events` are what it has written. */
function start(username: string, args: string[] = ['--json'], secret = password) {
  const env = { ...process.env, GOCHAT_PASSWORD: secret, NO_COLOR: '1' };
  const program = spawn(
    process.execPath,
    ['scripts/chat.ts', '--as', username, '--url', gatewayUrl, ...args],
    {
      env,
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  running.push(program);
  const lines: string[] = [];
  createInterface({ input: program.stdout }).on('line', (line) => lines.push(line));
  const events = (type: string): Data[] =>
    lines.map((line) => JSON.parse(line)).filter((event) => event.type === type);
  return {
    lines,
    write: (command: object | string) =>
      program.stdin.write(`${typeof command === 'string' ? command : JSON.stringify(command)}\n`),
    async event(type: string) {
      await eventually(() => events(type).length > 0);
      return events(type).at(-1);
    },
    exit: once(program, 'exit').then(([code]) => code),
  };
}

test('a program talks through the terminal client by JSON lines', async () => {
  const { ann, bob, conversationId } = await newFriends();
  const chat = start(bob.user.username);
  assert.equal((await chat.event('ready')).user.id, bob.id);
  chat.write({ type: 'send', conversationId, text: 'hello' });
  const sent = await chat.event('sent');
  assert.deepEqual([sent.message.content, sent.message.clientMsgId], ['hello', sent.clientMsgId]);
  await ann.rest.post(`/conversations/${conversationId}/messages`, {
    clientMsgId: 'a',
    content: 'hello yourself',
  });
  assert.equal((await chat.event('message')).message.content, 'hello yourself');
  chat.write({ type: 'history', conversationId, limit: 10 });
  assert.deepEqual(
    (await chat.event('history')).messages.map(({ content }: Data) => content),
    ['hello', 'hello yourself'],
  );
  chat.write({ type: 'open', conversationId });
  await chat.event('open');
  await eventually(async () => {
    const { conversation } = await bob.rest.get<Data>(`/conversations/${conversationId}`);
    return conversation.unreadCount === 0;
  });
  chat.write({ type: 'conversations' });
  const { conversations } = await chat.event('conversations');
  assert.ok(conversations.some(({ conversation }: Data) => conversation.id === conversationId));
  chat.write({ type: 'dance' });
  assert.equal((await chat.event('error')).code, 'INVALID_ARGUMENT');
  chat.write({ type: 'quit' });
  assert.equal(await chat.exit, 0);
});

test('a new name gets an account, a wrong password none, and the password is never shown', async () => {
  const name = uniqueName('new');
  const first = start(name);
  assert.equal((await first.event('ready')).user.username, name);
  first.write({ type: 'quit' });
  assert.equal(await first.exit, 0);
  const wrong = start(name, ['--json'], 'not the password');
  assert.equal((await wrong.event('error')).code, 'UNAUTHENTICATED');
  assert.equal(await wrong.exit, 1);
  assert.ok(!first.lines.concat(wrong.lines).some((line) => line.includes(password)));
});

test('a person talks line by line', async () => {
  const { ann, bob, conversationId } = await newFriends();
  const chat = start(bob.user.username, []);
  const shows = (text: string) => eventually(() => chat.lines.some((line) => line.includes(text)));
  await shows('/help');
  chat.write(`/dm ${ann.user.username}`);
  chat.write('hello from the terminal');
  const history = () => ann.rest.messagesAfter(conversationId, 0);
  await eventually(async () => (await history()).messages.length === 1, 15_000, 100);
  await ann.rest.post(`/conversations/${conversationId}/messages`, {
    clientMsgId: 'a',
    content: 'hello back',
  });
  await shows('hello back');
  const stranger = await newPerson('stranger');
  chat.write(`/group crew ${ann.user.username} ${stranger.user.username}`);
  await eventually(
    async () => {
      const { conversations } = await stranger.rest.get<Data>('/conversations');
      return conversations.some(({ name }: Data) => name === 'crew');
    },
    15_000,
    100,
  );
  chat.write('/quit');
  assert.equal(await chat.exit, 0);
});
