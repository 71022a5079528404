// Room: users of a running system, over REST and sockets. No code that uses the services' internals may come in.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  createRest,
  type Message,
  ProblemError,
  type Rest,
  type Session,
} from '../../../clients/sdk/rest.ts';
import { type ChatSocket, openSocket } from '../../../clients/sdk/socket.ts';
import { conversationType, friendRequestAction } from '../../../lib/domain/enumerations.ts';

/** The gateways of the running system under test. */
export const gatewayUrl = process.env.GATEWAY_URL ?? 'http://127.0.0.1:8080';
export const gateway2Url = process.env.GATEWAY2_URL ?? gatewayUrl;

export const password = 'correct horse battery';

export const uniqueName = (prefix = 'u'): string => `${prefix}-${randomBytes(6).toString('hex')}`;

export type Person = Session & { id: string; rest: Rest };

/** Registers a new user. */
export async function newPerson(prefix = 'u', baseUrl = gatewayUrl): Promise<Person> {
  const rest = createRest(baseUrl);
  const session = await rest.register(uniqueName(prefix), password);
  return { ...session, id: session.user.id, rest: rest.as(session.accessToken) };
}

export const newPeople = (count: number): Promise<Person[]> =>
  Promise.all(Array.from({ length: count }, () => newPerson()));

/** Makes two users friends; resolves to the id of their single conversation. */
export async function befriend(a: Person, b: Person): Promise<string> {
  const { request } = await a.rest.post<{ request: { id: string } }>('/friends/requests', {
    targetUserId: b.id,
  });
  const answer = await b.rest.put<{ conversation: { id: string } }>(`/friends/requests/${request.id}`, {
    action: friendRequestAction.accept,
  });
  return answer.conversation.id;
}

/** Two new friends and their conversation. */
export async function newFriends(): Promise<{ ann: Person; bob: Person; conversationId: string }> {
  const [ann, bob] = await Promise.all([newPerson('ann'), newPerson('bob')]);
  return { ann, bob, conversationId: await befriend(ann, bob) };
}

export async function newGroup(
  owner: Person,
  members: readonly Pick<Person, 'id'>[],
  name = 'a group',
): Promise<string> {
  const { conversation } = await owner.rest.post<{ conversation: { id: string } }>('/conversations', {
    type: conversationType.group,
    name,
    memberIds: members.map(({ id }) => id),
  });
  return conversation.id;
}

/** The `data` of a frame, untyped for assertions on its fields. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into frames as their reader sees fit.
export type Data = any;

/** A frame of any type. */
export type Frame = { type: string; data?: Data };

export type Chat = Omit<ChatSocket, 'send'> & {
  frames: Frame[];
  /** Sends a frame of any type, valid or not. */
  send(type: string, data?: Record<string, unknown>): void;
  /** The data of the first matching frame, past or future. Rejects after 10 s with the received frames. */
  expect(type: string, fits?: (data: Data) => boolean): Promise<Data>;
  /** All frames of a type so far. */
  all(type: string): Data[];
  /** Sends a message; resolves to its acknowledgement. */
  say(conversationId: string, content: string, more?: Record<string, unknown>): Promise<Data>;
  /** Resolves when all frames in flight have arrived: the answer to a ping comes after them. */
  settled(): Promise<void>;
};

const frameDeadlineMs = 10_000;

/** Opens a socket for a user and records all frames. */
export async function chat(person: Pick<Person, 'accessToken'>, baseUrl = gatewayUrl): Promise<Chat> {
  const frames: Frame[] = [];
  const watchers = new Set<(frame: Frame) => void>();
  const socket = await openSocket(baseUrl, person.accessToken, (frame) => {
    frames.push(frame);
    for (const watcher of watchers) watcher(frame);
  });

  const send: Chat['send'] = (type, data) => socket.sendRaw(JSON.stringify({ type, data }));

  function expect(
    type: string,
    fits: (data: Data) => boolean = () => true,
    from = 0,
    /** Aborts the wait, whose timer would otherwise keep the process alive. */
    signal?: AbortSignal,
  ): Promise<Data> {
    const matches = (frame: Frame) => frame.type === type && fits(frame.data);
    const past = frames.slice(from).find(matches);
    if (past) return Promise.resolve(past.data);
    return new Promise((resolve, reject) => {
      const watcher = (frame: Frame) => {
        if (!matches(frame)) return;
        clearTimeout(deadline);
        watchers.delete(watcher);
        resolve(frame.data);
      };
      const deadline = setTimeout(() => {
        watchers.delete(watcher);
        reject(
          new Error(`no ${type} arrived; the received frames are: ${JSON.stringify(frames).slice(0, 2000)}`),
        );
      }, frameDeadlineMs);
      watchers.add(watcher);
      signal?.addEventListener('abort', () => {
        clearTimeout(deadline);
        watchers.delete(watcher);
      });
    });
  }

  return {
    ...socket,
    send,
    frames,
    expect,
    all: (type) => frames.filter((frame) => frame.type === type).map(({ data }) => data),
    async say(conversationId, content, more = {}) {
      const clientMsgId = String(more.clientMsgId ?? uniqueName('m'));
      const from = frames.length;
      send('send-message', { conversationId, content, ...more, clientMsgId });
      const about = (data: Data) => data?.clientMsgId === clientMsgId;
      const answered = new AbortController();
      return Promise.race([
        expect('message-ack', about, from, answered.signal),
        expect('error', about, from, answered.signal).then((error) =>
          Promise.reject(Object.assign(new Error(error.code), { data: error })),
        ),
      ]).finally(() => answered.abort());
    },
    async settled() {
      const from = frames.length;
      send('ping');
      await expect('pong', undefined, from);
    },
  };
}

/** Asserts that a call is refused with a status and code, as an RFC 9457 problem. */
export async function refused(call: Promise<unknown>, status: number, code: string): Promise<ProblemError> {
  const error = await call.then(
    (answer) => assert.fail(`expected ${code}, got ${JSON.stringify(answer)}`),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ProblemError, String(error));
  assert.deepEqual([error.status, error.code], [status, code], error.message);
  return error;
}

/** All messages of a conversation, read in pages. */
export async function wholeHistory(person: Person, conversationId: string): Promise<Message[]> {
  const history: Message[] = [];
  for (let more = true; more; ) {
    const page = await person.rest.messagesAfter(conversationId, history.at(-1)?.seqId ?? 0);
    history.push(...page.messages);
    more = page.hasMore;
  }
  return history;
}
