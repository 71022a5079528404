import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import type { Data } from '../support/people/people.ts';
import { befriend, gatewayUrl, newPerson, password, uniqueName } from '../support/people/people.ts';

const running: ReturnType<typeof spawn>[] = [];
after(() => {
  for (const child of running) child.kill();
});

/** The terminal client, as a program talks to it. */
function terminal(username: string) {
  const child = spawn(
    process.execPath,
    ['scripts/chat.ts', '--as', username, '--url', gatewayUrl, '--json'],
    {
      env: { ...process.env, GOCHAT_PASSWORD: password },
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  running.push(child);
  const events: Data[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => events.push(JSON.parse(line)));
  const find = (type: string) => events.find((event) => event.type === type);
  return {
    events,
    write: (command: object) => void child.stdin.write(`${JSON.stringify(command)}\n`),
    async expect(type: string): Promise<Data> {
      await eventually(() => find(type) !== undefined);
      return find(type);
    },
    async quit(): Promise<number> {
      const over = once(child, 'close');
      child.stdin.write('{"type":"quit"}\n');
      const [code] = await over;
      return code;
    },
    /** Ends the input without a word. */
    async end(): Promise<number> {
      const over = once(child, 'close');
      child.stdin.end();
      const [code] = await over;
      return code;
    },
  };
}

test('two programs talk through the terminal client by JSON lines', async () => {
  const [ann, bob] = await Promise.all([newPerson('ann'), newPerson('bob')]);
  const conversationId = await befriend(ann, bob);
  const [a, b] = [terminal(ann.user.username), terminal(bob.user.username)];
  assert.equal((await a.expect('ready')).user.id, ann.id);
  await b.expect('ready');

  a.write({ type: 'send', conversationId, text: 'hello' });
  const { clientMsgId, message } = await a.expect('sent');
  assert.deepEqual([message.clientMsgId, message.content, message.seqId], [clientMsgId, 'hello', 1]);
  assert.deepEqual((await b.expect('message')).message.content, 'hello');

  b.write({ type: 'conversations' });
  const listed = (await b.expect('conversations')).conversations;
  const unread = listed.find((one: Data) => one.conversation.id === conversationId).unreadCount;
  assert.equal(unread, 1);
  b.write({ type: 'open', conversationId });
  assert.equal((await a.expect('read')).userId, bob.id);
  b.write({ type: 'history', conversationId, limit: 10 });
  assert.deepEqual(
    (await b.expect('history')).messages.map(({ content }: Data) => content),
    ['hello'],
  );
  b.write({ type: 'dance' });
  assert.equal((await b.expect('error')).code, 'INVALID_ARGUMENT');
  assert.deepEqual(await Promise.all([a.quit(), b.quit()]), [0, 0]);
});

test('what was sent before the end of the input is stored, and its answer told', async () => {
  const [ann, bob] = await Promise.all([newPerson('ann'), newPerson('bob')]);
  const conversationId = await befriend(ann, bob);
  const contents = Array.from({ length: 20 }, (_, n) => `message ${n}`);
  for (const end of ['quit', 'end'] as const) {
    const a = terminal(ann.user.username);
    await a.expect('ready');
    for (const text of contents) a.write({ type: 'send', conversationId, text });
    assert.equal(await a[end](), 0);
    const sent = a.events.filter(({ type }) => type === 'sent');
    assert.deepEqual(
      sent.map(({ message }) => message.content),
      contents,
    );
  }
});

test('a message that is refused at the end has its answer, and the exit code tells it', async () => {
  const [ann, bob, eve] = await Promise.all([newPerson('ann'), newPerson('bob'), newPerson('eve')]);
  const conversationId = await befriend(ann, bob);
  const e = terminal(eve.user.username);
  await e.expect('ready');
  e.write({ type: 'send', conversationId, text: 'may I?' });
  assert.equal(await e.end(), 1);
  assert.ok(e.events.some(({ type, code }) => type === 'error' && code === 'NOT_CONVERSATION_MEMBER'));
});

test('a program sends a file by its path', async () => {
  const [ann, bob] = await Promise.all([newPerson('ann'), newPerson('bob')]);
  const conversationId = await befriend(ann, bob);
  const a = terminal(ann.user.username);
  await a.expect('ready');
  a.write({ type: 'file', conversationId, path: 'LICENSE' });
  a.write({ type: 'file', conversationId, path: 'there/is/no/such.file' });
  assert.equal(await a.quit(), 1);
  const { message } = await a.expect('sent');
  assert.equal(message.messageType, 3);
  assert.equal(JSON.parse(message.content).name, 'LICENSE');
  assert.equal((await a.expect('error')).code, 'INVALID_ARGUMENT');
});

test('a name that nobody has is registered, and a wrong password is refused in one line', async () => {
  const name = uniqueName('tim');
  const first = terminal(name);
  assert.equal((await first.expect('ready')).user.username, name);
  await first.quit();
  const person = await newPerson('eve');
  await person.rest.put('/auth/password', { oldPassword: password, newPassword: `${password} again` });
  const refused = terminal(person.user.username);
  assert.equal((await refused.expect('error')).code, 'UNAUTHENTICATED');
});
