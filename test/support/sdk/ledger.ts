import type { Conversation, Message } from '@gochat/sdk';
import { eventually } from '../eventually.ts';
import { wholeHistory } from '../people/people.ts';
import { createFindings, type Findings } from '../storm/records/findings.ts';
import type { Device } from './device.ts';

const restMs = 120_000;
/** After a crash a client may be told so many messages again. */
const repeatsPerCrash = 20;

/**
 * Compares what every device shows, was told and has sent with what the server has, once all is at rest. In `changing`
 * conversations devices were members only at times.
 */
export async function compareWithServer(
  devices: readonly Device[],
  changing: ReadonlySet<string>,
): Promise<Findings> {
  const findings = createFindings();
  await Promise.all(devices.map((device) => comparePicture(device, findings)));
  const histories = new Map<string, Message[]>();
  for (const device of devices) {
    for (const { id } of await conversationsOf(device)) {
      const history = histories.get(id) ?? (await wholeHistory(device.person, id));
      histories.set(id, history);
      compareTold(device, id, history, changing.has(id), findings);
    }
  }
  for (const device of devices) await compareSent(device, histories, findings);
  return findings;
}

async function conversationsOf({ person }: Device): Promise<Conversation[]> {
  const { conversations } = await person.rest.get<{ conversations: Conversation[] }>(
    '/conversations?limit=200',
  );
  return conversations.filter(({ type }) => type !== 3);
}

/** The device's picture becomes the server's: the same conversations with the same fields, and the newest messages. */
async function comparePicture(device: Device, findings: Findings): Promise<void> {
  let difference = 'nothing was compared';
  const isSame = async () => {
    difference = await differenceOf(device);
    return difference === '';
  };
  await eventually(isSame, restMs, 500).catch(() => {
    findings.add(
      'what a client shows is what the server has',
      `${device.person.user.username}: ${difference}`,
    );
  });
}

async function differenceOf(device: Device): Promise<string> {
  const { state, conversations: all } = await device.picture();
  const shown = all.filter(({ conversation }) => conversation.type !== 3);
  if (state !== 'online') return `it is ${state}`;
  const unsent = shown.flatMap(({ waiting }) => waiting).filter((one) => !one.startsWith('failed'));
  if (unsent.length > 0) return `${unsent.length} messages wait`;
  const stored = await conversationsOf(device);
  const ids = (list: readonly { id: string }[]) => JSON.stringify(list.map(({ id }) => id).sort());
  const known = shown.map(({ conversation }) => conversation);
  if (ids(known) !== ids(stored)) return `it shows ${ids(known)} of ${ids(stored)}`;
  for (const conversation of stored) {
    const mine = shown.find((one) => one.conversation.id === conversation.id);
    const fields = firstDifference(comparable(conversation), mine && comparable(mine.conversation));
    if (fields) return `${conversation.id}: ${fields}`;
    const { messages } = await device.person.rest.get<{ messages: Message[] }>(
      `/conversations/${conversation.id}/messages?limit=200`,
    );
    const count = Math.min(messages.length, mine?.messages.length ?? 0);
    if (count === 0 && messages.length > 0 && conversation.unreadCount > 0)
      return `${conversation.id}: no messages`;
    const here = mine?.messages.slice(-count) ?? [];
    for (const [index, message] of messages.slice(-count).entries()) {
      if (count === 0) break;
      const difference = firstDifference(message, here[index]);
      if (difference) return `${conversation.id} ${message.seqId}: ${difference}`;
    }
  }
  return '';
}

/** updatedAt of a client may be the time of a frame. */
const comparable = ({ updatedAt: _, ...rest }: Conversation) => rest;

function firstDifference(expected: object, found: object | undefined): string | undefined {
  const names = new Set([...Object.keys(expected), ...Object.keys(found ?? {})]);
  for (const name of names) {
    const [there, here] = [expected, found ?? {}].map((one) =>
      JSON.stringify(sorted((one as Record<string, unknown>)[name])),
    );
    if (there !== here) return `${name} is ${here} instead of ${there}`;
  }
  return undefined;
}

/** The order of fields does not matter. */
function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, one]) => [name, sorted(one)]),
  );
}

function compareTold(
  { person, told, crashes }: Device,
  id: string,
  history: readonly Message[],
  isChanging: boolean,
  findings: Findings,
): void {
  const seqIds = told.get(id) ?? [];
  const repeats = seqIds.length - new Set(seqIds).size;
  const name = `${person.user.username} in ${id}`;
  if (repeats > crashes * repeatsPerCrash)
    findings.add('each message is told once', `${name}: ${repeats} repeats`);
  if (crashes === 0 && seqIds.some((seqId, index) => seqId <= (seqIds[index - 1] ?? 0)))
    findings.add('messages are told in order', `${name}: ${seqIds.join(' ')}`);
  if (isChanging) return;
  const heard = new Set(seqIds);
  const missing = history.filter(({ sender, seqId }) => sender.id !== person.id && !heard.has(seqId));
  const [first] = missing;
  if (first)
    findings.add(
      'nothing that others wrote is missing',
      `${name}: ${missing.length} messages, the first one is ${first.seqId}`,
    );
}

async function compareSent(
  { person, saved, refused, picture }: Device,
  histories: ReadonlyMap<string, Message[]>,
  findings: Findings,
): Promise<void> {
  // What was refused in an earlier run is only shown.
  const { conversations } = await picture();
  const waiting = conversations.flatMap((one) => one.waiting);
  const shown = new Set(conversations.map(({ conversation }) => conversation.id));
  const isRefused = (clientMsgId: string) =>
    refused.has(clientMsgId) || waiting.includes(`failed ${clientMsgId}`);
  for (const [id, clientMsgIds] of saved) {
    // What the server refused in a conversation that its sender has left is shown nowhere.
    if (!shown.has(id)) continue;
    const history = histories.get(id) ?? [];
    const mine = history.filter(({ sender }) => sender.id === person.id).map((one) => one.clientMsgId);
    const kept = clientMsgIds.filter((one) => !isRefused(one));
    for (const one of kept) {
      const count = mine.filter((stored) => stored === one).length;
      if (count !== 1) findings.add('each send is stored once', `${one} in ${id}: ${count} times`);
    }
    const order = mine.filter((one) => kept.includes(one));
    if (String(order) !== String(kept.filter((one) => mine.includes(one))))
      findings.add('sends are stored in their order', `${person.user.username} in ${id}`);
  }
}
