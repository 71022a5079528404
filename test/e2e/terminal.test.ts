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
