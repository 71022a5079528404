import { createInterface } from 'node:readline';
import { type Client, type ConversationItem, GoChatError, type Message } from '@gochat/sdk';
import { sendFile } from './files.ts';
import { createSends } from './sends.ts';

const help = `  /list                 conversations
  /open N               the conversation with this number in the list
  /dm NAME              the conversation with a friend
  /friend NAME          asks somebody to be a friend
  /accept               accepts the friend requests that wait
  /group NAME USER …    a new group
  /add USER …           adds members to this group
  /history              older messages
  /file PATH            sends a file
  /search WORDS         messages that have all of these words
  /recall               takes the last own message back
  /who                  the members
  /quit
  Anything else is sent.`;

const isPlain = process.env.NO_COLOR !== undefined || !process.stdout.isTTY;
const paint = (code: number) => (text: string) => (isPlain ? text : `\x1b[${code}m${text}\x1b[0m`);
const [dim, bold, red] = [paint(2), paint(1), paint(31)];

/** What stands between one message and the next on the screen: control characters would move the cursor. */
const printable = (text: string) => text.replace(/\p{Cc}/gu, ' ');

/** Lets a person talk, until /quit. Returns whether all messages were stored. */
export async function runScreen(client: Client): Promise<boolean> {
  const sends = createSends();
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  let isOver = false;
  let openId: string | undefined;
  let listed: readonly ConversationItem[] = [];

  const say = (text: string) => {
    if (isOver) return;
    process.stdout.write(`\r\x1b[K${text}\n`);
    lines.prompt(true);
  };
  const refuse = (error: unknown) => say(red(error instanceof Error ? error.message : String(error)));
  const showMessage = ({ sender, content, createdAt }: Pick<Message, 'sender' | 'content' | 'createdAt'>) =>
    `${dim(new Date(createdAt).toTimeString().slice(0, 5))} ${bold(printable(sender.displayName))}  ${printable(content)}`;

  function renewPrompt(): void {
    if (isOver) return;
    const state = client.connection.get().state;
    const unread = client.conversations.get().filter(({ unreadCount }) => unreadCount > 0).length;
    const room = openId === undefined ? undefined : client.conversation(openId).get();
    const parts = [
      room?.conversation ? titleOf(room.conversation) : 'no conversation',
      ...(room && room.typing.length > 0 ? ['typing …'] : []),
      ...(unread > 0 ? [`${unread} unread`] : []),
      ...(state === 'online' ? [] : [red(state)]),
    ];
    lines.setPrompt(`${dim(parts.join(' · '))} > `);
    lines.prompt(true);
  }

  function list(): void {
    listed = client.conversations.get();
    say(
      listed
        .map(({ conversation, unreadCount }, n) => {
          const unread = unreadCount > 0 ? ` (${unreadCount} unread)` : '';
          return `  ${n + 1}  ${titleOf(conversation)}${unread}`;
        })
        .join('\n') || '  No conversations yet: /friend NAME, or /group NAME USER …',
    );
  }

  function open(id: string): void {
    openId = id;
    const room = client.conversation(id);
    for (const message of room.get().messages.slice(-15)) say(showMessage(message));
    room.markRead();
    renewPrompt();
  }

  const current = () => {
    if (openId === undefined)
      throw new GoChatError('INVALID_ARGUMENT', 'Open a conversation first: /list, /open N');
    return client.conversation(openId);
  };

  async function userNamed(name: string) {
    const user = (await client.users.search(name)).find(({ username }) => username === name);
    if (!user) throw new GoChatError('USER_NOT_FOUND', `There is nobody called ${name}.`);
    return user;
  }
  const idsOf = async (names: string[]) => (await Promise.all(names.map(userNamed))).map(({ id }) => id);

  const commands: Record<string, (words: string[]) => unknown> = {
    help: () => say(help),
    list,
    open: ([n]) => open(listed[Number(n) - 1]?.conversation.id ?? n ?? ''),
    dm: async ([name = '']) => open((await client.direct((await userNamed(name)).id)).id),
    friend: async ([name = '']) => client.friends.request((await userNamed(name)).id),
    async accept() {
      for (const { id } of await client.friends.requests({ direction: 'incoming', status: 0 })) {
        await client.friends.accept(id);
      }
      list();
    },
    group: async ([name = '', ...users]) =>
      open((await client.groups.create({ name, memberIds: await idsOf(users) })).id),
    add: async (users) => client.groups.members.add(current().id, await idsOf(users)),
    async history() {
      const room = current();
      const before = room.get().messages.length;
      await room.loadOlder();
      for (const message of room.get().messages.slice(0, -before || undefined)) say(showMessage(message));
    },
    file(words) {
      const path = words.join(' ');
      sends.follow(sendFile(current(), path), () => say(dim(`  ${printable(path)} is sent.`)), refuse);
    },
    async search(words) {
      const { results } = await client.search({ text: words.join(' '), limit: 10 });
      if (results.length === 0) say(dim('  Nothing was found.'));
      for (const { message, conversationName } of results.toReversed())
        say(`${dim(printable(conversationName))} ${showMessage(message)}`);
    },
    async recall() {
      const mine = current()
        .get()
        .messages.filter(({ sender, id }) => sender.id === client.me.get()?.id && id > 0);
      const last = mine.filter(({ deleted }) => !deleted).at(-1);
      if (last) await current().recall(last.id);
    },
    async who() {
      for (const { displayName, role } of await current().loadMembers()) {
        say(`  ${printable(displayName)}${role > 1 ? dim(role === 3 ? ' owner' : ' admin') : ''}`);
      }
    },
  };

  client.on('message', (message) => {
    if (message.conversationId !== openId) return renewPrompt();
    say(showMessage(message));
    client.conversation(openId).markRead();
  });
  client.on('friend-request', ({ request }) =>
    say(`${printable(request.requester.displayName)} asks to be your friend: /accept`),
  );
  for (const event of ['connection', 'conversation', 'typing'] as const) client.on(event, renewPrompt);
  client.on('error', ({ message }) => say(red(message)));
  list();
  say(dim('/help tells what you can do.'));

  for await (const line of lines) {
    const [, name, rest = ''] = /^\/(\w+)\s*(.*)$/.exec(line) ?? [];
    if (name === 'quit') break;
    try {
      if (name !== undefined) await (commands[name] ?? commands.help)?.(rest.split(/\s+/).filter(Boolean));
      else if (line.trim() !== '') sends.follow(current().send({ text: line }).stored, () => {}, refuse);
    } catch (error) {
      refuse(error);
    }
    renewPrompt();
  }
  if (sends.openCount() > 0) say(dim('Waiting until all messages are stored …'));
  const allStored = await sends.settle();
  // What comes while the client disconnects finds no prompt any more.
  isOver = true;
  lines.close();
  return allStored;
}

const titleOf = ({ name, peer }: ConversationItem['conversation']): string =>
  printable(name || peer?.displayName || 'without a name');
