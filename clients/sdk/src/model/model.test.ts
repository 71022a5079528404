import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createPretendServer, me, type PretendServer } from '../../testing/pretend-server.ts';
import { hasHole } from './conversation-state.ts';
import type { Input, Outcome, ServerFrame, State } from './input.ts';
import { createModel } from './model.ts';

/** A client around the model: what it is told, and how it asks the server for what frames leave open. */
function createPretendClient(server: PretendServer) {
  const isOwnId = (id: string) => id.startsWith('own');
  let model = createModel(isOwnId);
  model.apply({ type: 'signed-in', user: me });
  let frames: ServerFrame[] | undefined;
  let seen: ServerFrame[] = [];
  let sends = 0;
  const told = new Map<string, number[]>();
  /** What was read already when the client learned of the conversation: that is history. */
  const readBefore = new Map<string, number>();
  const stored: string[] = [];

  function apply(input: Input): Outcome {
    const before = new Set(model.state.conversations.keys());
    const outcome = model.apply(input);
    for (const [id, { conversation }] of model.state.conversations) {
      if (!before.has(id)) readBefore.set(id, conversation.lastReadSeqId);
    }
    for (const [type, data] of outcome.events) {
      if (type === 'message')
        told.set(data.conversationId, [...(told.get(data.conversationId) ?? []), data.seqId]);
    }
    stored.push(...outcome.stored.map(({ clientMsgId }) => clientMsgId));
    return outcome;
  }

  function sync(): void {
    for (let more = true; more; ) {
      const cursors = Object.fromEntries(
        [...model.state.conversations].map(([id, { cursor }]) => [id, cursor]),
      );
      const changes = Object.fromEntries(
        [...model.state.conversations].map(([id, one]) => [id, one.changeSeq]),
      );
      const answer = server.sync(cursors, model.state.since, changes);
      apply({ type: 'synced', answer });
      more = answer.hasMore;
    }
  }

  function settle(): void {
    for (const id of model.state.uncertain) {
      const conversation = server.conversation(id);
      if (conversation) apply({ type: 'conversation', conversation });
      else apply({ type: 'conversation-gone', conversationId: id });
    }
    if ([...model.state.conversations.values()].some(hasHole)) sync();
  }

  function deliver(frame: ServerFrame): void {
    seen = [...seen.slice(-5), frame];
    apply({ type: 'frame', frame });
  }

  function pump(): void {
    const busy = new Set<string>();
    for (const { clientMsgId, conversationId, status } of model.state.outbox) {
      if (status === 'failed' || busy.has(conversationId)) continue;
      busy.add(conversationId);
      if (!frames || status === 'sending') continue;
      apply({ type: 'send', clientMsgId, status: 'sending' });
      const failure = { code: 'NOT_CONVERSATION_MEMBER', message: '' };
      if (server.send(conversationId, clientMsgId)) continue;
      apply({ type: 'send', clientMsgId, status: 'failed', failure });
      busy.delete(conversationId);
    }
  }

  return {
    told,
    readBefore,
    stored,
    state: () => model.state,
    connect() {
      if (frames) return;
      frames = server.connect();
      if (model.state.since === undefined) apply({ type: 'listed', conversations: server.shown() });
      sync();
      for (const id of [...model.state.untoldReads.keys()]) tellRead(id);
      pump();
    },
    cut() {
      frames = undefined;
      seen = [];
      server.disconnect();
      for (const { clientMsgId, status } of model.state.outbox) {
        if (status === 'sending') apply({ type: 'send', clientMsgId, status: 'queued' });
      }
    },
    /** Starts anew with what is stored, which is everything but what waits behind a hole. */
    restart() {
      this.cut();
      const { conversations, ...rest } = model.state;
      const kept = [...conversations].map(
        ([id, one]) => [id, { ...one, ahead: [], recalledAhead: [] }] as const,
      );
      model = createModel(isOwnId, structuredClone({ ...rest, conversations: new Map(kept) }));
    },
    deliver(count: number) {
      for (const frame of frames?.splice(0, count) ?? []) deliver(frame);
      pump();
    },
    deliverLate(position: number) {
      const frame = frames?.splice(position, 1)[0];
      if (frame) deliver(frame);
    },
    repeat(which: number) {
      const frame = seen[which % Math.max(1, seen.length)];
      if (frame && frames) deliver(frame);
    },
    settle() {
      if (frames) settle();
    },
    send(n: number) {
      const ids = [...model.state.conversations.keys()];
      const conversationId = ids[n % Math.max(1, ids.length)];
      if (conversationId === undefined) return;
      sends += 1;
      const body = { clientMsgId: `own${sends}`, conversationId, content: '', messageType: 1 };
      apply({ type: 'queued', outgoing: { ...body, order: 0, createdAt: 0, status: 'queued' } });
      pump();
    },
    read(n: number, upTo: number) {
      const ids = [...model.state.conversations.keys()];
      const id = ids[n % Math.max(1, ids.length)];
      if (id === undefined) return;
      const seqId = upTo % ((model.state.conversations.get(id)?.cursor ?? 0) + 1);
      apply({ type: 'read', conversationId: id, seqId });
      if (frames) tellRead(id);
    },
    quiesce() {
      this.connect();
      for (let turns = 0; turns < 100; turns += 1) {
        while (frames && frames.length > 0) this.deliver(1);
        settle();
        pump();
        if (frames?.length === 0 && model.state.uncertain.length === 0) return;
      }
      assert.fail('the client never comes to rest');
    },
  };

  function tellRead(id: string): void {
    const seqId = model.state.untoldReads.get(id);
    if (seqId === undefined) return;
    server.readHere(id, seqId);
    apply({ type: 'read-told', conversationId: id, seqId });
  }
}

type Client = ReturnType<typeof createPretendClient>;
type Step = [name: string, run: (server: PretendServer, client: Client) => void];

const n = fc.nat(7);
const on = (name: string, run: (server: PretendServer, client: Client, a: number, b: number) => void) =>
  fc.tuple(n, n).map(([a, b]): Step => [`${name} ${a} ${b}`, (server, client) => run(server, client, a, b)]);

const steps = fc.oneof(
  { weight: 2, arbitrary: on('create', (server) => server.create()) },
  { weight: 6, arbitrary: on('other sends', (server, _, a) => server.otherSends(a, 'other')) },
  { weight: 2, arbitrary: on('own other device sends', (server, _, a) => server.otherSends(a, me.id)) },
  { weight: 3, arbitrary: on('recall', (server, _, a, b) => server.recall(a, b)) },
  { weight: 3, arbitrary: on('edit', (server, _, a, b) => server.edit(a, b)) },
  { weight: 2, arbitrary: on('rename', (server, _, a) => server.rename(a)) },
  { weight: 1, arbitrary: on('other joins', (server, _, a) => server.otherJoins(a)) },
  { weight: 2, arbitrary: on('read elsewhere', (server, _, a, b) => server.read(a, b)) },
  { weight: 1, arbitrary: on('leave', (server, _, a) => server.leave(a)) },
  { weight: 1, arbitrary: on('join', (server, _, a) => server.join(a)) },
  { weight: 4, arbitrary: on('send', (_, client, a) => client.send(a)) },
  { weight: 2, arbitrary: on('read', (_, client, a, b) => client.read(a, b)) },
  { weight: 6, arbitrary: on('deliver', (_, client, a) => client.deliver(a)) },
  { weight: 2, arbitrary: on('deliver late', (_, client, a) => client.deliverLate(a)) },
  { weight: 2, arbitrary: on('repeat', (_, client, a) => client.repeat(a)) },
  { weight: 2, arbitrary: on('settle', (_, client) => client.settle()) },
  { weight: 2, arbitrary: on('cut', (_, client) => client.cut()) },
  { weight: 3, arbitrary: on('connect', (_, client) => client.connect()) },
  { weight: 1, arbitrary: on('restart', (_, client) => client.restart()) },
);

const scenes = fc.array(steps, { maxLength: 60, size: 'max' });
const named = (scene: Step[]) => scene.map(([name]) => name).join(', ');

function play(scene: Step[]): { server: PretendServer; client: Client; state: State } {
  const server = createPretendServer();
  const client = createPretendClient(server);
  client.connect();
  for (const [, run] of scene) run(server, client);
  client.quiesce();
  return { server, client, state: client.state() };
}

const options = { numRuns: Number(process.env.FC_RUNS ?? 1000) };

test('whatever comes late, twice, in pieces or not at all: at the end the client has the server’s state', () => {
  fc.assert(
    fc.property(scenes, (scene) => {
      const { server, state } = play(scene);
      const byId = (a: { id: string }, b: { id: string }) => Number(a.id) - Number(b.id);
      const shown = [...state.conversations.values()].map(({ conversation }) => conversation).sort(byId);
      // When the conversation was last active is told by its messages, too.
      const plain = (all: typeof shown) => all.map((one) => ({ ...one, updatedAt: 0 }));
      assert.deepEqual(texts(plain(shown)), texts(plain(server.shown().sort(byId))), named(scene));
      for (const { conversation, messages, cursor } of state.conversations.values()) {
        assert.equal(cursor, conversation.lastSeqId);
        const whole = server.messagesOf(conversation.id);
        const expected = messages.length === 0 ? [] : whole.slice(-messages.length);
        assert.deepEqual(texts(messages), texts(expected), named(scene));
      }
    }),
    options,
  );
});

/** An own message carries the text that its sender gave it, which the pretended server does not know. */
const texts = (all: readonly object[]) =>
  JSON.parse(
    JSON.stringify(all, (key, value) => (key === 'content' && value !== '' ? '…' : value)).replaceAll(
      '"content":""',
      '"content":"…"',
    ),
  );

test('each message of others is told once and in order, and none that came since is missing', () => {
  fc.assert(
    fc.property(scenes, (scene) => {
      const { server, client } = play(scene);
      const left = scene.some(([name]) => name.startsWith('leave'));
      for (const seqIds of client.told.values()) {
        assert.deepEqual(
          seqIds,
          [...new Set(seqIds)].sort((a, b) => a - b),
          named(scene),
        );
      }
      if (left) return;
      for (const { id } of server.shown()) {
        const others = server
          .messagesOf(id)
          .filter(({ clientMsgId }) => !clientMsgId.startsWith('own'))
          .filter(({ seqId }) => seqId > (client.readBefore.get(id) ?? 0));
        assert.deepEqual(
          client.told.get(id) ?? [],
          others.map(({ seqId }) => seqId),
          named(scene),
        );
      }
    }),
    options,
  );
});

test('each own message is stored once, in the order of sending, and leaves the outbox, unless it was refused', () => {
  fc.assert(
    fc.property(scenes, (scene) => {
      const { server, client, state } = play(scene);
      const left = scene.some(([name]) => name.startsWith('leave'));
      assert.ok(state.outbox.every(({ status }) => status === 'failed'));
      assert.deepEqual(client.stored, [...new Set(client.stored)]);
      const refused = state.outbox.map(({ clientMsgId }) => clientMsgId);
      for (const { id } of server.shown()) {
        const numbers = server
          .messagesOf(id)
          .flatMap(({ clientMsgId }) => (clientMsgId.startsWith('own') ? Number(clientMsgId.slice(3)) : []));
        assert.deepEqual(
          numbers,
          [...new Set(numbers)].sort((a, b) => a - b),
          named(scene),
        );
        if (!left) assert.ok(numbers.every((number) => !refused.includes(`own${number}`)));
      }
    }),
    options,
  );
});
